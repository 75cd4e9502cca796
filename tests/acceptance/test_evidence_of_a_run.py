"""What findings rest on, in the tables of a run: every table against the records or against the other tables."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from evidence_region import CONFIGURATION, visits, write_region
from scipy import special, stats

from profiling.cli.main import execute
from profiling.config import load_settings
from profiling.pipeline.attribution import attributed_to
from profiling.store.engine import open_database
from profiling.store.runs import RunRecord, latest_run, read_predictions, read_run

NOW = ("--now", "2024-05-06T07:08:09")
KEY = ["measure", "level", "provider"]


def fitted(folder: Path) -> RunRecord:
    for command in ("load", "fit"):
        assert execute([command, "--config", str(folder / "config.yaml"), "--quiet", *NOW]) == 0
    engine = open_database(f"sqlite:///{folder}/var/profiling.db")
    run_id = latest_run(engine)
    assert run_id is not None
    return read_run(engine, run_id)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("evidence")
    write_region(made)
    return made


@pytest.fixture(scope="module")
def record(folder: Path) -> RunRecord:
    return fitted(folder)


def test_every_provider_has_its_evidence(record: RunRecord) -> None:
    evidence, estimates = record.provider_evidence, record.provider_estimates
    pd.testing.assert_frame_equal(evidence[KEY], estimates[KEY])
    nearer = np.where(estimates["ratio"] >= 1, estimates["ratio_lower"] <= 1, estimates["ratio_upper"] >= 1)
    assert ((evidence["e_value_limit"] == 1) == nearer).all()
    assert evidence["overlap"].between(0, 1).all()
    for share, low, high in (("fifth", "bottom_fifth", "top_fifth"), ("tenth", "bottom_tenth", "top_tenth")):
        sums = evidence.groupby(["measure", "level"])[[low, high]].mean()
        assert sums.to_numpy() == pytest.approx(0.2 if share == "fifth" else 0.1, abs=0.04)
    worst = evidence[(evidence["provider"] == "h03") & (evidence["measure"] != "vaccinated")]
    assert (worst["top_fifth"] > 0.9).all()
    assert (evidence["rank_set_lower"] <= evidence["rank_set_upper"]).all()
    rate = estimates["expected_rate"] * (estimates["ratio"] - 1)
    assert evidence["difference"].to_numpy() == pytest.approx(rate.to_numpy())


def test_dissent_names_those_who_disagree_and_the_table_counts_them(record: RunRecord) -> None:
    evidence = record.provider_evidence
    named = evidence["dissent"].map(lambda text: [name for name in text.split(", ") if name])
    assert (evidence["methods"] - evidence["agree"] == named.map(len)).all()
    table = record.sensitivity.dropna(subset=["flags_changed"])
    assert (table["flags_same"] + table["flags_changed"] == table["providers"]).all()
    for row in table.itertuples():
        own = (evidence["measure"] == row.measure) & (evidence["level"] == row.level)
        assert sum(row.variant in names for names in named[own]) == row.flags_changed
    variants = table.groupby("measure")["variant"].agg(set)
    assert {"without I(age / 10)", "without C(sex)", "fixed_effect", "interval", "funnel"} <= variants["mortality"]
    assert {"attribution most_visits", "without largest hospital", "overdispersed"} <= variants["falls"]
    refused = record.sensitivity[record.sensitivity["flags_changed"].isna()]
    assert refused["note"].str.startswith("not possible").all()


def test_false_discoveries_are_limited_over_the_measures_that_say_so(record: RunRecord) -> None:
    flags = record.flags.merge(record.provider_evidence[[*KEY, "rule_probability"]], on=KEY)
    together = flags[flags["rule"] == "false_discovery"]
    assert set(together["measure"]) == {"mortality", "falls"}
    adjusted = stats.false_discovery_control(together["probability_by_chance"])
    assert together["rule_probability"].to_numpy() == pytest.approx(adjusted)
    flagged = together["category"].isin(["higher", "lower"]).to_numpy()
    assert list(flagged) == list(adjusted < 0.002)
    assert "h03" in set(together.loc[flagged, "provider"])


def test_counts_per_day_at_risk_by_hand(record: RunRecord) -> None:
    rows = visits()
    effects = record.fixed_effects[record.fixed_effects["measure"] == "falls"].set_index("term")["estimate"]
    spread = record.variance_components.query("measure == 'falls'")["covariance"].iloc[0]
    expected = rows["days"] * np.exp(effects["Intercept"] + effects["I(age / 10)"] * rows["age"] / 10)
    sums = rows.assign(expected=expected).groupby("clinic_id")[["falls", "days", "expected"]].sum()
    got = record.provider_estimates.query("measure == 'falls'").set_index("provider")
    assert got["observed"].to_numpy() == pytest.approx(sums["falls"].to_numpy())
    assert got["expected"].to_numpy() == pytest.approx(sums["expected"].to_numpy())
    assert got["expected_marginal"].to_numpy() == pytest.approx((sums["expected"] * np.exp(spread / 2)).to_numpy())
    assert got["predicted"].to_numpy() == pytest.approx((sums["expected"] * np.exp(got["mode"])).to_numpy())
    assert got["observed_rate"].to_numpy() == pytest.approx((sums["falls"] / sums["days"]).to_numpy())
    overall = rows["falls"].sum() / rows["days"].sum()
    assert record.measures.set_index("measure")["overall_rate"]["falls"] == pytest.approx(overall)
    assert got["risk_standardized_rate"].to_numpy() == pytest.approx((got["ratio"] * overall).to_numpy())
    evidence = record.provider_evidence.query("measure == 'falls'").set_index("provider")
    assert evidence["exposure"].to_dict() == sums["days"].to_dict()
    direct = expected.sum() * np.exp(got["mode"]) / rows["days"].sum()
    assert evidence["direct_rate"].to_numpy() == pytest.approx(direct.to_numpy())
    lower = stats.chi2.ppf(0.025, 2 * got["observed"]) / 2 / got["expected_marginal"]
    assert got["oe_lower"].to_numpy() == pytest.approx(np.asarray(lower))
    # The Poisson model's own score equation for its intercept: the conditional means add up to the events.
    assert got["predicted"].sum() == pytest.approx(rows["falls"].sum(), rel=0.02)


def test_successes_out_of_trials_by_hand(record: RunRecord) -> None:
    rows = visits()
    effects = record.fixed_effects[record.fixed_effects["measure"] == "vaccinated"].set_index("term")["estimate"]
    risk = special.expit(effects["Intercept"] + effects["I(age / 10)"] * rows["age"] / 10)
    sums = rows.assign(expected=risk * rows["tried"]).groupby("clinic_id")[["done", "tried", "expected"]].sum()
    got = record.provider_estimates.query("measure == 'vaccinated'").set_index("provider")
    assert got["n"].to_dict() == rows["clinic_id"].value_counts().to_dict()
    assert got["observed_rate"].to_numpy() == pytest.approx((sums["done"] / sums["tried"]).to_numpy())
    assert record.provider_evidence.query("measure == 'vaccinated'")["exposure"].tolist() == sums["tried"].tolist()
    quarters = record.provider_periods.query("measure == 'vaccinated'").groupby("provider")[["n", "observed"]].sum()
    assert quarters["n"].to_dict() == got["n"].to_dict()
    assert quarters["observed"].to_dict() == got["observed"].to_dict()
    assert got["observed"].to_dict() == sums["done"].to_dict()
    assert got["expected"].to_numpy() == pytest.approx(sums["expected"].to_numpy())
    assert (
        record.measures.set_index("measure")["overall_rate"]["vaccinated"] == rows["done"].sum() / rows["tried"].sum()
    )
    assert "cbind(done, tried - done)" in record.measures.set_index("measure")["formula"]["vaccinated"]


def test_periods_and_subgroups_add_up_to_the_records(record: RunRecord) -> None:
    rows = visits().assign(quarter=lambda t: pd.PeriodIndex(t["admitted"], freq="Q").strftime("%Y Q%q"))
    got = record.provider_periods.query("measure == 'mortality' and level == 'hospital'")
    sums = rows.groupby(["clinic_id", "quarter"])["died"].agg(["size", "sum"])
    found = got.set_index(["provider", "period"])
    assert found["n"].to_dict() == sums["size"].to_dict()
    assert found["observed"].to_dict() == sums["sum"].to_dict()
    assert not got["signal"].isna().any()
    assert got.loc[got["signal"].astype(bool), "provider"].eq("h03").any()
    assert (got.loc[got["signal"].astype(bool), "cusum"] > got.loc[got["signal"].astype(bool), "cusum_limit"]).all()
    alarms = record.model_checks.query("name == 'cusum_false_alarm'")
    assert set(alarms["measure"]) == {"mortality", "falls", "vaccinated"}
    main = record.subgroups.query("measure == 'mortality' and model == 'main'")
    died = rows.groupby("payer")["died"].sum()
    assert main[main["column_name"] == "payer"].set_index("value")["observed"].to_dict() == died.to_dict()
    for _, part in main.groupby("column_name"):
        assert part["n"].sum() == len(rows)
    assert set(record.subgroups.query("model == 'social_risk'")["measure"]) == {"mortality"}


def test_social_risk_stands_beside_the_model_without(record: RunRecord) -> None:
    both, own = record.social_risk, record.provider_estimates.query("measure == 'mortality'")
    assert set(both["measure"]) == {"mortality"}
    assert both["ratio_without"].tolist() == own["ratio"].tolist()
    assert both["category_without"].tolist() == own["category"].tolist()
    # The payer plays no part in these records: adjusting for it moves little, and something.
    moved = np.abs(both["ratio_with"] / both["ratio_without"] - 1)
    assert 0 < moved.max() < 0.1
    checks = record.model_checks.query("measure == 'mortality'").set_index("name")
    assert checks["note"]["social_risk_formula"].endswith("+ C(payer)")
    assert "social_risk_coefficient:C(payer)[T.public]" in checks.index


def test_comments_and_composites(record: RunRecord) -> None:
    comments = record.provider_comments[["level", "provider", "comment"]]
    assert comments.to_numpy().tolist() == [["hospital", "h03", "We take the sickest."]]
    assert record.inputs.set_index("source")["rows_rejected"]["comments"] == 1
    assert record.composites["composite"].tolist() == ["harm", "all_three", "trait"]
    scores = {name: part.set_index("provider") for name, part in record.composite_scores.groupby("composite")}
    parts = record.provider_estimates.query("level == 'hospital' and measure != 'vaccinated'")
    sums = parts.groupby("provider")[["observed", "expected_marginal"]].sum()
    ratio = sums["observed"] / sums["expected_marginal"]
    assert scores["harm"]["value"].to_numpy() == pytest.approx(ratio.to_numpy())
    assert scores["harm"]["lower"]["h03"] == pytest.approx(
        stats.chi2.ppf(0.025, 2 * sums["observed"]["h03"]) / 2 / sums["expected_marginal"]["h03"]
    )
    # Fewer vaccinations are worse: all three say the same of the hospital that is worse in everything.
    assert {part["value"].idxmax() for part in scores.values()} == {"h03"}
    assert {part["expected_rank"].idxmax() for part in scores.values()} == {"h03"}
    assert record.composites["note"].iloc[1] == "mortality 0.5; falls 0.25; vaccinated 0.25"


def test_what_is_kept_of_each_row_adds_up(folder: Path, record: RunRecord) -> None:
    engine = open_database(f"sqlite:///{folder}/var/profiling.db")
    for measure in ("falls", "vaccinated"):
        rows = read_predictions(engine, record.run_id, measure)
        assert len(rows) == 2400
        sums = rows.groupby("outer_provider")[["observed", "expected", "expected_marginal", "predicted"]].sum()
        got = record.provider_estimates.query("measure == @measure").set_index("provider")[list(sums.columns)]
        assert sums.to_numpy() == pytest.approx(got.to_numpy())


def test_the_command_line_shows_composites_and_pairs(
    folder: Path, record: RunRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ("--config", str(folder / "config.yaml"))
    assert execute(["show", record.run_id, *config]) == 0
    said = capsys.readouterr().out
    assert "all_three  mortality 0.5; falls 0.25; vaccinated 0.25" in said
    assert execute(["show", record.run_id, "--worse", "h03", "h04", "--json", *config]) == 0
    pairs = {pair["measure"]: pair["probability"] for pair in json.loads(capsys.readouterr().out)["pairs"]}
    assert set(pairs) == {"mortality", "falls", "vaccinated"}
    assert min(pairs.values()) > 0.9
    assert execute(["show", record.run_id, "--worse", "h03", "d03", *config]) == 2
    assert "no level with both 'h03' and 'd03'" in capsys.readouterr().err


def test_a_visit_can_answer_to_whom_its_patient_sees_most(tmp_path: Path) -> None:
    text = CONFIGURATION[: CONFIGURATION.index("  - name: falls")]
    text = text.replace("    social_risk: C(payer)\n", "    attribution: most_visits\n    sensitivity: never\n")
    write_region(tmp_path, text=text)
    record = fitted(tmp_path)
    rows = visits()
    seen = rows.groupby(["patient_id", "physician_id"])["admitted"].agg(["size", "max"]).reset_index()
    best = seen.sort_values(["size", "max"]).groupby("patient_id")["physician_id"].last()
    n = rows["patient_id"].map(best).value_counts().sort_index()
    got = record.provider_estimates.query("level == 'physician'").set_index("provider")["n"]
    assert got.sum() == len(rows)
    assert (got - n).abs().sum() <= 0.01 * len(rows)
    assert not record.sensitivity["variant"].str.startswith(("without", "attribution")).any()
    left_out = record.model_checks.set_index("name").loc["sensitivity_left_out"]
    assert (left_out["value"], left_out["note"].endswith("as configured")) == (5.0, True)


def test_attribution_among_equals() -> None:
    rows = pd.DataFrame(
        {
            "patient_id": ["a", "a", "a", "b", "b", None, "c", "c"],
            "physician": ["x", "y", "y", "x", "y", "z", "y", "x"],
            "admitted": pd.to_datetime(
                ["2021-05-01", "2021-01-01", "2021-01-02", "2021-01-01", "2021-03-01", None, *[None] * 2]
            ),
        }
    )
    assert attributed_to(rows, "physician", "most_visits").tolist() == ["y", "y", "y", "y", "y", "z", "x", "x"]
    assert attributed_to(rows, "physician", "attending").tolist() == rows["physician"].tolist()


def test_more_events_than_trials_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = visits(rows=300)
    table.loc[:2, "done"] = 9
    text = CONFIGURATION[: CONFIGURATION.index("  - name: mortality")]
    text += CONFIGURATION[CONFIGURATION.index("  - name: vaccinated") : CONFIGURATION.index("composites:")]
    write_region(tmp_path, table, text)
    assert load_settings(tmp_path / "config.yaml", {}).measures[0].name == "vaccinated"
    assert execute(["load", "--config", str(tmp_path / "config.yaml"), "--quiet", *NOW]) == 0
    assert execute(["fit", "--config", str(tmp_path / "config.yaml"), "--quiet", *NOW]) == 11
    assert "3 rows with a larger done than tried; expected no more events than trials" in capsys.readouterr().err


def test_counts_go_all_the_way_to_their_pages(tmp_path: Path) -> None:
    head, tail = CONFIGURATION.index("  - name: mortality"), CONFIGURATION.index("  - name: vaccinated")
    text = CONFIGURATION[:head] + CONFIGURATION[CONFIGURATION.index("  - name: falls") : tail]
    write_region(tmp_path, text=text.replace("family: poisson", "event: falls\n    family: poisson"))
    assert execute(["run", "--config", str(tmp_path / "config.yaml"), "--quiet", *NOW]) == 0
    current = tmp_path / "site" / "current"
    measure = (current / "measures" / "falls.html").read_text()
    assert "more falls" in measure
    assert "Rate ratio" in (current / "models" / "falls.html").read_text()
    for page in current.rglob("*.html"):
        assert not re.search(r">\s*(nan|None)\s*<", page.read_text()), page.name
    hospital = (current / "hospitals" / "h03.html").read_text()
    rows = visits()
    own = rows[rows["clinic_id"] == "h03"]
    for part in (rows, own):
        assert f"{1000 * part['falls'].sum() / part['days'].sum():.1f} per 1,000 days" in hospital
    assert not re.search(r"% of [0-9,]+ patients", hospital)


def test_three_measures_and_their_composites_are_published(folder: Path, record: RunRecord) -> None:
    """A trait in standard deviations has an average of 0, whatever its sign, where ratios have 1."""
    assert execute(["report", "--config", str(folder / "config.yaml"), "--quiet"]) == 0
    page = (folder / "site" / "current" / "index.html").read_text(encoding="utf-8")
    assert page.count("standard deviations of providers") >= 1
    scores = record.composite_scores[record.composite_scores["composite"] == "trait"]
    assert (scores["value"] < 0).any()
    panel = page[page.index('id="composite-trait') :]
    assert ">−2<" in panel[: panel.index("</svg>")]
    assert "above 0 the less preferred" in page
    assert "above 1 the less preferred" in page
