"""The page of two runs side by side: what changed, who moved, by how much and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from profiling.reporting import numbers, sentences
from profiling.reporting.comparison import PARTS, STEPS, SUMS, Comparison
from profiling.reporting.disclosure import clean
from profiling.reporting.pages.shared import MeasureView, Site, each, noun, nouns

MOST_TEXT = 200


def context(comparison: Comparison, site: Site, root: str) -> dict[str, Any]:
    """What the template of a comparison prints; `site` is the later run's, `root` leads to its pages."""
    before, after = (str(run.run["run_id"]) for run in (comparison.former, comparison.later))
    compared = [measure for measure in site.measures if (comparison.providers["measure"] == measure.name).any()]
    return {
        "page": {"title": sentences.say("compare_title", before=before, after=after), "section": "", "scripted": True},
        "before": before,
        "after": after,
        "headline": _headline(comparison, compared, before),
        "lede": _lede(comparison),
        "files": [_file(row) for row in each(comparison.inputs)],
        "settings": [_setting(row) for row in each(comparison.settings)],
        "programs": _programs(comparison),
        "measures": [_measure(comparison, site, measure, root) for measure in compared],
        "reading": sentences.say("compare_reading"),
        "few": sentences.say("compare_few", most=comparison.later.threshold - 1),
    }


def _outer(comparison: Comparison, measure: MeasureView) -> pd.DataFrame:
    rows = comparison.providers
    return rows[(rows["measure"] == measure.name) & (rows["level"] == measure.outer)]


def _headline(comparison: Comparison, measures: list[MeasureView], before: str) -> str:
    rows = [_outer(comparison, measure) for measure in measures]
    level = measures[0].outer if measures else "provider"
    every = pd.concat(rows) if rows else pd.DataFrame({"provider": [], "cause": []})
    moved, total = every.loc[every["cause"] != "", "provider"].nunique(), every["provider"].nunique()
    key = "compare_none" if not moved else "compare_one" if moved == 1 else "compare_some"
    words = {"provider": noun(level), "providers": nouns(level), "before": before}
    return sentences.say(key, moved=numbers.in_words(moved, capital=True), all=numbers.integer(total), **words)


def _lede(comparison: Comparison) -> str:
    table = comparison.inputs
    changed = sorted(table.loc[table["before"] != table["after"], "source"].unique())
    files = (
        sentences.say(
            "compare_other_files",
            files=sentences.capital(sentences.listed([sentences.stored(source) for source in changed])),
        )
        if changed
        else sentences.say("compare_same_files")
    )
    keys = [
        key.replace("_", " ") or sentences.say("compare_measures") for key in dict.fromkeys(comparison.settings["key"])
    ]
    settings = (
        sentences.say("compare_other_settings", settings=sentences.listed(keys))
        if keys
        else sentences.say("compare_same_settings")
    )
    return f"{files} {settings}"


def _file(row: Any) -> dict[str, str]:
    before, after = (
        numbers.short_hash(value) if value else sentences.say("not_read") for value in (row.before, row.after)
    )
    return {
        "source": str(row.source),
        "file": clean(row.file_name),
        "before": before,
        "after": after,
        "same": sentences.say("compare_same" if row.before == row.after else "compare_other"),
    }


def _setting(row: Any) -> dict[str, str]:
    texts = [
        clean(text) if len(text) <= MOST_TEXT else clean(text[:MOST_TEXT]) + "…" for text in (row.before, row.after)
    ]
    return {"measure": str(row.measure), "key": str(row.key).replace("_", " "), "before": texts[0], "after": texts[1]}


def _programs(comparison: Comparison) -> list[dict[str, str]]:
    """Versions that differ, profiling's own first."""
    versions = [
        {"profiling": str(run.run["version"]), **run.history.software} for run in (comparison.former, comparison.later)
    ]
    return [
        {
            "name": clean(name),
            "before": clean(versions[0].get(name, sentences.say("none_of"))),
            "after": clean(versions[1].get(name, sentences.say("none_of"))),
        }
        for name in dict.fromkeys([*versions[0], *versions[1]])
        if versions[0].get(name) != versions[1].get(name)
    ]


def _measure(comparison: Comparison, site: Site, measure: MeasureView, root: str) -> dict[str, Any]:
    rows = _outer(comparison, measure)
    moved = rows[rows["cause"] != ""]
    surprise = (moved["oe_ratio_after"] / moved["oe_ratio_before"]).map(np.log).abs().fillna(-1.0)
    moved = moved.assign(surprise=surprise).sort_values(["surprise", "provider_name"], ascending=[False, True])
    inner = comparison.providers[
        (comparison.providers["measure"] == measure.name) & (comparison.providers["level"] != measure.outer)
    ]
    return {
        "title": measure.title,
        "href": f"{root}{measure.href}",
        "headline": sentences.say(
            "compare_moved",
            moved=sentences.counted(len(moved), noun(measure.outer), capital=True),
            all=numbers.integer(len(rows)),
        ),
        "noun": noun(measure.outer),
        "rows": [_row(site, measure, row, root) for row in each(moved)],
        "inner": _inner_words(measure, inner),
        "totals": _totals(comparison, measure),
        "observed": sentences.capital(measure.event) if measure.counts else _sum_of(measure),
    }


def _sum_of(measure: MeasureView) -> str:
    return sentences.say("sum_of", what=measure.unit or sentences.say("the_outcome"))


def _inner_words(measure: MeasureView, inner: pd.DataFrame) -> str:
    if not measure.inner:
        return ""
    moved = sentences.counted(int((inner["cause"] != "").sum()), noun(measure.inner), capital=True)
    return sentences.say("compare_inner", moved=moved, all=numbers.integer(len(inner)))


def _row(site: Site, measure: MeasureView, row: Any, root: str) -> dict[str, Any]:
    shown = not row.hidden and numbers.known(row.oe_ratio_before) and numbers.known(row.oe_ratio_after)
    sums = ("observed", "expected_marginal", "predicted")
    figures = (
        {name: [_figure(measure, row, name, side) for side in ("before", "after")] for name in sums} if shown else {}
    )
    return {
        "name": row.provider_name,
        "href": site.address(row.level, row.provider, root),
        "before": row.category_before,
        "after": row.category_after,
        "shown": shown,
        "figures": figures,
        "ratio": [numbers.ratio(row.ratio_before), numbers.ratio(row.ratio_after)],
        "raw": [numbers.ratio(row.oe_ratio_before), numbers.ratio(row.oe_ratio_after)],
        "factors": [_factor(getattr(row, part)) for part in PARTS],
        "cause": sentences.say(f"cause_{row.cause}"),
    }


def _figure(measure: MeasureView, row: Any, name: str, side: str) -> str:
    value, n = getattr(row, f"{name}_{side}"), getattr(row, f"n_{side}")
    if not measure.counts:
        return numbers.decimal(value / n, 2)
    return numbers.integer(value) if name == "observed" else numbers.amount(value)


def _factor(contribution: float) -> str:
    return f"× {numbers.ratio(np.exp(contribution))}" if numbers.known(contribution) else numbers.DASH


def _totals(comparison: Comparison, measure: MeasureView) -> list[dict[str, str]]:
    table = comparison.totals
    rows = table[table["measure"] == measure.name].set_index("step")
    runs = {"before": comparison.former.run["run_id"], "after": comparison.later.run["run_id"]}
    signs = {"before": 1, "left": -1, "came": 1, "same": 1, "after": 1}
    return [
        {
            "step": sentences.say(f"step_{step}", **runs),
            **{
                name: _amount(signs[step] * float(rows.loc[step, name]), step, name)  # type: ignore[arg-type]
                for name in ("n", *SUMS)
            },
        }
        for step in STEPS
        if step in rows.index
    ]


def _amount(value: float, step: str, name: str) -> str:
    if not numbers.known(value):
        return sentences.say("not_shown")
    places = 0 if name in ("n", "observed") else 1
    return numbers.decimal(value, places) if step in ("before", "after") else numbers.signed(value, places)
