"""Panels of the pages: what they say follows from the store's figures, and nothing hidden stands in them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from evidence_fixture import COMMENT
from reporting_fixture import simulated_run

from profiling.reporting import numbers, sentences
from profiling.reporting.disclosure import mask
from profiling.reporting.pages import (
    composites,
    family,
    firmness,
    sensitivity,
    structure,
    subgroups,
    trend,
    two_ways,
    volume,
)
from profiling.reporting.pages.shared import MeasureView, Site, build
from profiling.reporting.panel_tables import FILES, panel_files
from profiling.store.runs import RunRecord

ORDER = ("lower", "lower_watch", "as_expected", "higher_watch", "higher")
FORBIDDEN = re.compile(r"\b(worst|best|bad|good|poor|significant|league|nan|None)\b")


@pytest.fixture(scope="module")
def record() -> RunRecord:
    return simulated_run()


@pytest.fixture(scope="module")
def site(record: RunRecord) -> Site:
    return build(mask(record))


@pytest.fixture(scope="module")
def deaths(site: Site) -> MeasureView:
    return site.measures[0]


@pytest.fixture(scope="module")
def stay(site: Site) -> MeasureView:
    return site.measures[1]


def result_at(count: float, at: dict[str, float]) -> str:
    """The result of a count of events, from the first counts beyond each limit."""
    if count >= at.get("higher", np.inf):
        return "higher"
    if count >= at.get("higher_watch", np.inf):
        return "higher_watch"
    if count <= at.get("lower", -np.inf):
        return "lower"
    return "lower_watch" if count <= at.get("lower_watch", -np.inf) else "as_expected"


@pytest.mark.parametrize("seed", range(60))
def test_changes_are_the_nearest_counts_with_another_result(seed: int) -> None:
    """Against counting upward and downward one event at a time."""
    random = np.random.default_rng(seed)
    at = dict(
        zip(
            ("lower", "lower_watch", "higher_watch", "higher"),
            (2 * np.sort(random.choice(30, 4, replace=False))).tolist(),
            strict=True,
        )
    )
    gone = [(), ("lower", "lower_watch"), ("higher",), ("lower_watch", "higher_watch"), ("lower",)][seed % 5]
    for side in gone:
        at.pop(side)
    observed = int(random.integers(0, 61))
    category = result_at(observed, at)
    evidence = {firmness.COLUMNS[side]: at[side] - observed if side in at else np.nan for side in firmness.SIDES}
    found = {
        step.category: step.change for step in firmness.changes({"observed": observed, "category": category}, evidence)
    }
    for category_to, change in found.items():
        assert result_at(observed + change, at) == category_to
        assert result_at(observed + change - np.sign(change), at) != category_to
    inner = not gone
    if inner and category == "as_expected":
        assert set(found) == {"lower_watch", "higher_watch"}
    if inner and category in ("higher", "lower"):
        assert "as_expected" in found


def evidence_of(measure: MeasureView, category: str) -> tuple[Any, Any]:
    rows = measure.providers["hospital"]
    known, _ = firmness.prepare(measure)
    provider = next(name for name in rows.index[rows["category"] == category] if name in known)
    return rows.loc[provider].to_dict(), known[provider]


def test_a_flagged_hospital_is_told_what_would_take_the_flag_away(deaths: MeasureView) -> None:
    row, evidence = evidence_of(deaths, "higher")
    panel = firmness.panel(deaths, row, evidence, None, 40)
    assert panel is not None
    back = 1 - evidence["events_to_higher_flag"]
    assert panel.title == f"{numbers.in_words(back, True)} fewer deaths would make it “Higher, watch”"
    assert panel.table is not None
    assert [cell[0].split(" ")[0] for cell in panel.table.rows] == [
        f"{row['observed'] + evidence[firmness.COLUMNS[side]]:,.0f}"
        for side in reversed(firmness.SIDES)
        if numbers.known(evidence[firmness.COLUMNS[side]])
    ]
    assert all(not FORBIDDEN.search(text) for text in panel.sentences)


@pytest.mark.parametrize(
    ("methods", "agree", "dissent", "said"),
    [
        (7, 7, "", "All seven other ways of judging say the same."),
        (1, 1, "", "The one other way of judging says the same."),
        (7, 5, "interval, without C(sex)", "Five of seven other ways of judging say the same. "
            "The interval of the shrunken ratio and the model without sex would not."),
        (2, 0, "funnel, without largest hospital", "None of two other ways of judging says the same: "
            "An exact test against chance alone and the model without the largest hospital would not."),
    ],
)  # fmt: skip
def test_how_many_ways_agree(deaths: MeasureView, methods: int, agree: int, dissent: str, said: str) -> None:
    row, evidence = evidence_of(deaths, "higher")
    panel = firmness.panel(deaths, row, {**evidence, "methods": methods, "agree": agree, "dissent": dissent}, None, 40)
    assert panel is not None
    assert said in panel.sentences


def test_probabilities_of_fifths_are_never_nothing_or_all() -> None:
    assert firmness.likely(0.001) == "under 1\u202f%"
    assert firmness.likely(0.999) == "over 99\u202f%"
    assert firmness.likely(0.41) == "41\u202f%"


def test_a_hidden_trait_is_needed_only_where_the_interval_leaves_one_out(deaths: MeasureView) -> None:
    row, evidence = evidence_of(deaths, "as_expected")
    texts = firmness.panel(deaths, row, evidence | {"e_value_limit": 1.0}, None, 40).sentences  # type: ignore[union-attr]
    assert any("holds 1" in text for text in texts)
    texts = firmness.panel(deaths, row, evidence | {"e_value": 2.2, "e_value_limit": 1.3}, None, 40).sentences  # type: ignore[union-attr]
    assert any("2.2 times as common" in text and "1.3 times" in text for text in texts)


def test_too_few_cases_say_nothing_of_firmness(deaths: MeasureView) -> None:
    row, evidence = evidence_of(deaths, "higher")
    assert firmness.panel(deaths, row | {"category": "too_few"}, evidence, None, 40) is None
    assert firmness.panel(deaths, row, None, None, 40) is None


def test_limits_of_a_period_are_the_funnels(deaths: MeasureView) -> None:
    """The simulated funnel has limits exp(±z/√E) at every E, also beyond the ones that are published."""
    limits = deaths.of("funnel_limits").query("level == 'hospital'")
    expected = np.array([0.05, 3.0, 40.0, 900.0])
    found = trend.limits_at(limits, expected)
    exact = np.exp(np.array([-3.09, -1.96, 1.96, 3.09]) / np.sqrt(expected)[:, None])
    assert found == pytest.approx(exact, rel=0.02)
    assert np.isnan(trend.limits_at(limits.head(0), expected)).all()


def test_a_series_adds_up_to_what_the_store_has(record: RunRecord, stay: MeasureView) -> None:
    prepared = trend.prepare(stay)
    assert len(prepared) > 10
    stored = record.provider_periods.query("measure == 'length_of_stay'")
    for provider, (series, cases) in prepared.items():
        mine = stored[stored["provider"] == provider].sort_values("position")
        assert series.observed.tolist() == mine["observed"].tolist()
        assert cases.sum() == mine["n"].sum()
        panel = trend.panel(stay, (series, cases))
        assert panel is not None
        assert panel.table is not None
        assert len(panel.table.rows) == len(mine)
        total = float((mine["observed"] - mine["expected"]).sum())
        assert numbers.amount(abs(total)) in panel.sentences[0]
        assert ("fewer" in panel.sentences[0]) == (total < 0)


def test_a_series_that_may_not_be_shown_is_in_no_download_and_has_no_panel(
    record: RunRecord, deaths: MeasureView
) -> None:
    """Counts of 1 to 10 of any period: the whole series is away, from page and download alike."""
    prepared = trend.prepare(deaths)
    stored = record.provider_periods.query("measure == 'mortality_30d'")
    others = stored["n"] - stored["observed"]
    small = stored[["n", "observed"]].assign(others=others).apply(lambda column: column.between(0.5, 10.5)).any(axis=1)
    holders = set(stored.loc[small, "provider"])
    assert holders
    assert not holders & set(prepared)
    table = next(table for file, table in panel_files(deaths) if file.kind == "periods")
    assert set(table["provider"]) == set(prepared)
    assert trend.panel(deaths, prepared.get(next(iter(holders)))) is None


def test_hidden_providers_are_in_no_download_of_a_panel(site: Site) -> None:
    for measure in site.measures:
        hidden = {level: set(rows.index[rows["hidden"].astype(bool)]) for level, rows in measure.providers.items()}
        assert hidden["hospital"]
        for file, table in panel_files(measure):
            if "provider" in table:
                for level, names in hidden.items():
                    assert not names & set(table.loc[table["level"] == level, "provider"]), file.kind


def test_every_column_of_a_download_has_its_meaning(site: Site) -> None:
    for measure in site.measures:
        for file, table in panel_files(measure):
            assert set(table.columns) <= set(file.meanings)
            assert not table.empty
    assert len({file.kind for file in FILES}) == len(FILES)


def test_effects_beyond_the_envelope_are_named(site: Site, deaths: MeasureView) -> None:
    figures = family.figures(deaths, "hospital")
    beyond = figures.loc[figures["beyond"], "provider_name"].tolist()
    panel = family.panel(site, deaths, "hospital", "../")
    assert panel is not None
    assert panel.title == f"{sentences.listed(beyond)} lies further out than one normal family allows"
    calm = replace(
        site.masked, providers=site.masked.providers.assign(mode=site.masked.providers["mode"].clip(-0.5, 0.5))
    )
    quiet = family.panel(site, MeasureView(deaths.name, deaths.spec, calm), "hospital", "../")
    assert quiet is not None
    assert quiet.title == "The effects of hospitals look like one normal family"


def test_how_many_are_reliable_is_counted_over_those_shown(site: Site, deaths: MeasureView) -> None:
    shown = deaths.providers["hospital"].query("not hidden")
    panel = volume.panel(site, deaths, "hospital", "../")
    assert panel is not None
    assert panel.title.startswith(f"{(shown['reliability'] >= 0.7).sum()} of {len(shown)} hospitals")
    assert panel.table is not None
    assert sum(int(str(row[1])) for row in panel.table.rows) == len(shown)
    needed = numbers.two_figures(shown["cases_for_reliability"].median())
    assert f"about {needed} patients" in panel.sentences[0]


def test_subgroups_show_both_case_mixes_and_hide_what_they_must(
    record: RunRecord, site: Site, deaths: MeasureView
) -> None:
    panel = subgroups.panel(site, deaths, "../")
    assert panel is not None
    assert panel.table is not None
    stored = record.subgroups.query("measure == 'mortality_30d' and model == 'main'")
    assert len(panel.table.rows) == len(stored)
    texts = {str(row[0]): row for row in panel.table.rows}
    for row in stored.itertuples():
        cells = texts[f"{str(row.column_name).capitalize()}: {row.value}"]
        assert cells[1] == numbers.integer(float(row.n))  # type: ignore[arg-type]
        assert cells[4] == numbers.estimate(float(row.ratio), float(row.lower), float(row.upper))  # type: ignore[arg-type]
    table = record.subgroups.copy()
    few = (table["measure"] == "mortality_30d") & (table["column_name"] == "deprivation") & (table["value"] == "3")
    # The others go to another value, so that the groups stay a table of the same total.
    more = few.shift(-1, fill_value=False)
    table.loc[more, ["n", "observed"]] += table.loc[few, ["n", "observed"]].to_numpy() - [40.0, 6.0]
    table.loc[few, ["n", "observed"]] = [40.0, 6.0]
    small = build(mask(replace(record, subgroups=table))).measures[0]
    hidden = subgroups.panel(site, small, "../")
    assert hidden is not None
    assert hidden.table is not None
    rows = {str(row[0]): row[1:] for row in hidden.table.rows}
    assert set(rows["Deprivation: 3"]) == {"not shown"}
    assert sum(set(cells) == {"not shown"} for cells in rows.values()) > 1, "its total less the others would give it"
    assert "6" not in {cell for cells in rows.values() for cell in cells}


def test_social_risk_counts_the_results_that_change(record: RunRecord, site: Site, deaths: MeasureView) -> None:
    rows = deaths.of("social_risk")
    moved = int((rows["category_with"] != rows["category_without"]).sum())
    panel = subgroups.social_panel(site, deaths, "hospital", "../")
    assert panel is not None
    assert panel.title.startswith(f"{numbers.in_words(moved, True)} of {len(rows)} hospitals")
    assert panel.table is not None
    assert len(panel.table.rows) == moved


def test_other_choices_are_ordered_as_stored_and_the_largest_change_is_the_title(
    site: Site, deaths: MeasureView
) -> None:
    panel = sensitivity.panel(site, deaths, "hospital", "../")
    assert panel is not None
    assert panel.title.startswith("Four of 40 results change with the model without shrinkage")
    assert panel.table is not None
    assert [row[2] for row in panel.table.rows] == ["0.97", "0.91", "1.00", "1.00"]
    assert sensitivity.panel(site, deaths, "physician", "../") is None


def test_two_ways_lead_with_the_trait_that_differs_most(site: Site, deaths: MeasureView, stay: MeasureView) -> None:
    panel = two_ways.panel(site, deaths, "../")
    assert panel is not None
    assert (
        panel.title
        == "At one hospital admission type: emergency multiplies the odds by 1.84, over the population by 1.82"
    )
    assert any("keep about 98.5\u202f%" in text for text in panel.sentences)
    assert any("Estimating equations" in text and "1.82" in text for text in panel.sentences)
    assert any("1.13 times as large" in text for text in panel.sentences)
    values = two_ways.panel(site, stay, "../")
    assert values is not None
    assert "odds" not in " ".join((values.title, *values.sentences))


def test_the_structure_speaks_of_places_and_movement(site: Site, deaths: MeasureView) -> None:
    who, moves = structure.who_panel(site, deaths, "../"), structure.movement_panel(site, deaths, "../")
    assert who is not None
    assert moves is not None
    share = numbers.percent(deaths.checks["structure:physician:hospital"], 0)
    assert who.title.startswith(f"{share} of physicians work in more than one hospital")
    assert who.table is not None
    total = sum(float(str(cell).split("\u202f")[0]) for row in who.table.rows for cell in row[1:])
    assert total == pytest.approx(100, abs=1.5)
    assert moves.title.startswith("Of the patients who come back")
    assert all(re.fullmatch(r"[A-Z][a-z]{2} \d{4}( to [A-Z][a-z]{2} \d{4})?", str(row[0])) for row in moves.table.rows)  # type: ignore[union-attr]


def test_no_panel_without_its_tables(record: RunRecord) -> None:
    empty = {
        name: getattr(record, name).head(0)
        for name in (
            "provider_evidence",
            "provider_periods",
            "subgroups",
            "social_risk",
            "sensitivity",
            "provider_comments",
        )
    }
    checks = record.model_checks[~record.model_checks["name"].str.contains(":")]
    bare = build(mask(replace(record, **empty, model_checks=checks)))
    for measure in bare.measures:
        assert trend.prepare(measure) == {}
        assert subgroups.panel(bare, measure, "") is None
        assert subgroups.social_panel(bare, measure, "hospital", "") is None
        assert sensitivity.panel(bare, measure, "hospital", "") is None
        assert two_ways.panel(bare, measure, "") is None
        assert structure.who_panel(bare, measure, "") is None
        assert structure.movement_panel(bare, measure, "") is None
        assert {file.kind for file, _ in panel_files(measure)} <= {"effects", "structure"}


def test_comments_are_paragraphs_and_stay_text(record: RunRecord) -> None:
    from profiling.reporting.pages.hospital import context, prepare
    from profiling.reporting.templating import environment
    from profiling.shipped import templates_folder

    hostile = COMMENT + "\n\n<script>alert(1)</script>"
    comments = record.provider_comments.assign(comment=hostile)
    site = build(mask(replace(record, provider_comments=comments)))
    prepared = tuple(prepare(site, measure) for measure in site.measures)
    told = context(site, prepared, "hospital", "H040")["comments"]
    assert told == [*COMMENT.split("\n\n"), "<script>alert(1)</script>"]
    assert context(site, prepared, "hospital", "H010")["comments"] == []
    made = environment(templates_folder()).from_string("{% for text in told %}<p>{{ text }}</p>{% endfor %}")
    assert "<script>" not in made.render(told=told)


def test_no_two_sentences_share_a_name_and_none_is_left_unfilled() -> None:
    frame = pd.Series(dict(sentences.CATALOGUE))
    assert frame.index.is_unique
    assert not frame.str.contains(r"\{\}").any()


def test_a_composite_hides_whom_a_measure_hides_and_says_its_weights(record: RunRecord, site: Site) -> None:
    (panel,) = composites.panels(site)
    scores = site.masked.composite_scores
    shown = scores[~scores["hidden"]]
    hidden = {name for measure in site.measures for name in measure.providers["hospital"].query("hidden").index}
    assert hidden <= set(scores.loc[scores["hidden"], "provider"])
    clear = ((shown["lower"] > 1) | (shown["upper"] < 1)).sum()
    assert panel.title.startswith(f"{numbers.in_words(clear, True)} of {len(shown)} hospitals")
    assert "death within 30 days 2 and length of stay 1" in panel.sentences[0]
    assert composites.panels(build(mask(replace(record, composite_scores=record.composite_scores.head(0))))) == []


def test_a_course_that_is_not_shown_is_said_where_others_are() -> None:
    shown = {"h01": object(), "h02": object()}
    assert trend.untold(shown, "h01", "hospital") == ""
    assert trend.untold({}, "h03", "hospital") == ""
    words = trend.untold(shown, "h03", "hospital")
    assert "this hospital has a count too small to publish" in words
    assert "shown of 2 " in words
