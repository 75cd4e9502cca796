"""Checks between keys. They read the plain file, so that they speak beside other errors of the same file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from profiling.config.canonical import MEASURE_SOURCES, RECORD_IDS
from profiling.config.checks_questions import carried, composite_findings, measure_findings
from profiling.config.formulas import FormulaError, formula_columns
from profiling.config.measures import COMPANIONS
from profiling.config.problems import nearest
from profiling.config.tree import Finding, columns, declared, group, is_name, items, names, texts
from profiling.config.yaml_text import Document, KeyPath
from profiling.errors import Problem


def cross_check(document: Document) -> list[Problem]:
    """All contradictions between keys of a file."""
    tree = document.tree
    findings = [*_sources(tree), *_periods(tree), *_measure_names(tree), *_measures(tree), *_composites(tree)]
    return [
        Problem(document.where(path), found, wanted, advice)
        for path, found, wanted, advice in findings
        if path not in document.spoilt
    ]


def _sources(tree: dict[str, Any]) -> Iterator[Finding]:
    sources = group(tree, "sources")
    if sources and "encounters" not in sources:
        yield ("sources",), "found no encounters", "'encounters' among the sources", ""
    for name in sources:
        for column, spec in group(sources[name], "columns").items():
            yield from _column(("sources", name, "columns", column), name, column, spec)


def _column(path: KeyPath, source: str, column: str, spec: Any) -> Iterator[Finding]:
    if not isinstance(spec, dict):
        return
    if spec.get("row_number") is True and RECORD_IDS.get(source) != column:
        wanted = f"only for {RECORD_IDS[source]}" if source in RECORD_IDS else "no row_number here"
        yield (*path, "row_number"), f"found row_number for {column}", wanted, ""
    if spec.get("row_number") is True and "from" in spec:
        yield (*path, "from"), "found both row_number and from", "one of them", ""
    if _disordered(spec.get("minimum"), spec.get("maximum")):
        yield (*path, "maximum"), "found a maximum below the minimum", "minimum <= maximum", ""


def _disordered(low: Any, high: Any) -> bool:
    if isinstance(low, date) and isinstance(high, date):
        return low > high
    return isinstance(low, int | float) and isinstance(high, int | float) and low > high


def _periods(tree: dict[str, Any]) -> Iterator[Finding]:
    periods = items(tree, "periods")
    for index, period in enumerate(periods):
        if _disordered(period.get("start"), period.get("end")):
            yield ("periods", index, "end"), "found an end before the start", "start <= end", ""
    yield from _repeated(periods, "periods", "name")


def _measure_names(tree: dict[str, Any]) -> Iterator[Finding]:
    yield from _repeated(items(tree, "measures"), "measures", "name")


def _repeated(parts: list[dict[str, Any]], key: str, inner: str) -> Iterator[Finding]:
    given = [part.get(inner) if is_name(part.get(inner)) else None for part in parts]
    counts = Counter(name for name in given if name is not None)
    for index, name in enumerate(given):
        if name is not None and counts[name] > 1 and given.index(name) < index:
            yield (key, index, inner), f"found the {inner} '{name}' a second time", "every name once", ""


def _composites(tree: dict[str, Any]) -> Iterator[Finding]:
    yield from _repeated(items(tree, "composites"), "composites", "name")
    yield from composite_findings(tree)


def _measures(tree: dict[str, Any]) -> Iterator[Finding]:
    outcomes = names(items(tree, "measures"), "outcome")
    for index, measure in enumerate(items(tree, "measures")):
        path: KeyPath = ("measures", index)
        yield from _flag(path, measure)
        yield from _period_known(path, measure, tree)
        yield from _levels(path, measure)
        for key in ("case_mix", "social_risk"):
            yield from _case_mix(path, measure, tree, outcomes, key)
        yield from _columns_known(path, measure, tree)
        yield from measure_findings(path, measure)
        yield from _subgroup_traits(path, measure, tree)
        for column, condition in group(measure, "cohort").items():
            if _disordered(group(measure["cohort"], column).get("minimum"), _maximum(condition)):
                yield (*path, "cohort", column), "found a maximum below the minimum", "minimum <= maximum", ""


def _maximum(condition: Any) -> Any:
    return condition.get("maximum") if isinstance(condition, dict) else None


def _flag(path: KeyPath, measure: dict[str, Any]) -> Iterator[Finding]:
    flag = group(measure, "flag")
    watch, limit = flag.get("watch", 0.95), flag.get("flag", 0.998)
    if isinstance(watch, int | float) and isinstance(limit, int | float) and watch >= limit:
        yield (*path, "flag"), f"found watch {watch} and flag {limit}", "watch below flag", ""
    if flag.get("rule") == "funnel" and measure.get("family") in ("gaussian", "log_gaussian"):
        yield (*path, "flag", "rule"), f"found funnel for the family {measure['family']}", "interval", ""


def _period_known(path: KeyPath, measure: dict[str, Any], tree: dict[str, Any]) -> Iterator[Finding]:
    name = measure.get("period")
    known = [period["name"] for period in items(tree, "periods") if is_name(period.get("name"))]
    if is_name(name) and name not in known:
        wanted = f"one of {', '.join(known)}" if known else "a period listed under periods"
        yield (*path, "period"), f"found unknown period '{name}'", wanted, nearest(str(name), known, "period")


def _levels(path: KeyPath, measure: dict[str, Any]) -> Iterator[Finding]:
    levels = items(measure, "providers")
    for key in ("level", "column"):
        for inner, found, wanted, advice in _repeated(levels, "providers", key):
            yield (*path, *inner), found, wanted, advice
    used = columns(measure.get("case_mix"))
    for index, level in enumerate(levels):
        if level.get("level") in used:
            found = f"found the level '{level['level']}', which is also a column of the case mix"
            yield (*path, "providers", index, "level"), found, "another name for the level", ""
        elif level.get("level") in {*COMPANIONS, *(column for _, column in carried(measure))}:
            found = f"found the level '{level['level']}', which is also a column of the measure"
            yield (*path, "providers", index, "level"), found, "another name for the level", ""
        yield from _formula((*path, "providers", index, "random"), level.get("random", "1"))


def _formula(path: KeyPath, text: Any) -> Iterator[Finding]:
    try:
        formula_columns(text) if isinstance(text, str) else ()
    except FormulaError as problem:
        yield path, f"found '{text}'", str(problem), ""


def _subgroup_traits(path: KeyPath, measure: dict[str, Any], tree: dict[str, Any]) -> Iterator[Finding]:
    # The total of a region is a sum of its hospitals: it would give a hidden one of them back.
    traits = set(declared(tree, ("clinics", "physicians"))) - set(declared(tree, ("encounters", "patients")))
    for place, column in texts(measure, "subgroups"):
        if column in traits:
            found = f"found '{column}', a trait of the provider"
            yield (*path, "subgroups", place), found, "a trait of the patient", ""


def _case_mix(
    path: KeyPath, measure: dict[str, Any], tree: dict[str, Any], outcomes: set[str], key: str = "case_mix"
) -> Iterator[Finding]:
    place, used = (*path, key), columns(measure.get(key))
    allowed = measure.get("allow_in_case_mix")
    allowed = set(allowed) if isinstance(allowed, list) and all(map(is_name, allowed)) else set()
    providers = names(items(measure, "providers"), "column")
    traits = set(group(group(group(tree, "sources"), "clinics"), "columns"))
    elsewhere = set(declared(tree, ("encounters", "patients")))
    advice = "If it is known before the care that is judged, list it under allow_in_case_mix"
    wanted, words = "traits of the patient on arrival", key.replace("_", " ")
    for column in used:
        if column == measure.get("outcome"):
            yield place, f"found the outcome '{column}' in the {words}", wanted, ""
        elif column in providers:
            yield place, f"found the provider column '{column}' in the {words}", wanted, ""
        elif column in outcomes - allowed:
            yield place, f"found '{column}', the outcome of another measure, in the {words}", wanted, advice
        elif column in traits - elsewhere - allowed:
            yield place, f"found '{column}', a trait of the provider, in the {words}", wanted, advice


def _columns_known(path: KeyPath, measure: dict[str, Any], tree: dict[str, Any]) -> Iterator[Finding]:
    known = declared(tree, MEASURE_SOURCES)
    wanted = "a column of encounters, patients or clinics"
    if not group(group(tree, "sources"), "encounters"):
        return
    levels = items(measure, "providers")
    uses: list[tuple[KeyPath, str]] = [((*path, "outcome"), measure.get("outcome", "encounter_id"))]
    uses += [((*path, "case_mix"), column) for column in columns(measure.get("case_mix"))]
    uses += [((*path, "cohort", column), column) for column in group(measure, "cohort")]
    uses += [((*path, *place), column) for place, column in carried(measure)]
    for index, level in enumerate(levels):
        uses.append(((*path, "providers", index, "column"), level.get("column", "encounter_id")))
        uses += [((*path, "providers", index, "random"), name) for name in columns(level.get("random"))]
    for place, column in uses:
        if is_name(column) and column not in known:
            advice = nearest(column, known, "column") or "Declare it under columns of its source"
            yield place, f"found unknown column '{column}'", wanted, advice
