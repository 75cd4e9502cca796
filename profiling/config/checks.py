"""Checks between keys. They read the plain file, so that they speak beside other errors of the same file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from profiling.config.canonical import CANONICAL_COLUMNS, MEASURE_SOURCES, RECORD_IDS
from profiling.config.formulas import FormulaError, formula_columns
from profiling.config.problems import nearest
from profiling.config.yaml_text import Document, KeyPath
from profiling.errors import Problem

Finding = tuple[KeyPath, str, str, str]


def cross_check(document: Document) -> list[Problem]:
    """All contradictions between keys of a file."""
    tree = document.tree
    findings = [*_sources(tree), *_periods(tree), *_measure_names(tree), *_measures(tree)]
    return [
        Problem(document.where(path), found, wanted, advice)
        for path, found, wanted, advice in findings
        if path not in document.spoilt
    ]


def _group(tree: Any, key: str | int) -> dict[str, Any]:
    value = tree.get(key) if isinstance(tree, dict) else None
    return value if isinstance(value, dict) else {}


def _items(tree: Any, key: str) -> list[dict[str, Any]]:
    value = tree.get(key) if isinstance(tree, dict) else None
    return [item if isinstance(item, dict) else {} for item in value] if isinstance(value, list) else []


def _sources(tree: dict[str, Any]) -> Iterator[Finding]:
    sources = _group(tree, "sources")
    if sources and "encounters" not in sources:
        yield ("sources",), "found no encounters", "'encounters' among the sources", ""
    for name in sources:
        for column, spec in _group(sources[name], "columns").items():
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
    periods = _items(tree, "periods")
    for index, period in enumerate(periods):
        if _disordered(period.get("start"), period.get("end")):
            yield ("periods", index, "end"), "found an end before the start", "start <= end", ""
    yield from _repeated(periods, "periods", "name")


def _measure_names(tree: dict[str, Any]) -> Iterator[Finding]:
    yield from _repeated(_items(tree, "measures"), "measures", "name")


def _repeated(items: list[dict[str, Any]], key: str, inner: str) -> Iterator[Finding]:
    names = [item.get(inner) if isinstance(item.get(inner), str) else None for item in items]
    counts = Counter(name for name in names if name is not None)
    for index, name in enumerate(names):
        if name is not None and counts[name] > 1 and names.index(name) < index:
            yield (key, index, inner), f"found the {inner} '{name}' a second time", "every name once", ""


def _measures(tree: dict[str, Any]) -> Iterator[Finding]:
    outcomes = _names(_items(tree, "measures"), "outcome")
    for index, measure in enumerate(_items(tree, "measures")):
        path: KeyPath = ("measures", index)
        yield from _flag(path, measure)
        yield from _period_known(path, measure, tree)
        yield from _levels(path, measure)
        yield from _case_mix(path, measure, tree, outcomes)
        yield from _columns_known(path, measure, tree)
        for column, condition in _group(measure, "cohort").items():
            if _disordered(_group(measure["cohort"], column).get("minimum"), _maximum(condition)):
                yield (*path, "cohort", column), "found a maximum below the minimum", "minimum <= maximum", ""


def _maximum(condition: Any) -> Any:
    return condition.get("maximum") if isinstance(condition, dict) else None


def _is_name(value: Any) -> bool:
    return isinstance(value, str)


def _names(items: list[dict[str, Any]], key: str) -> set[str]:
    return {str(item[key]) for item in items if _is_name(item.get(key))}


def _flag(path: KeyPath, measure: dict[str, Any]) -> Iterator[Finding]:
    flag = _group(measure, "flag")
    watch, limit = flag.get("watch", 0.95), flag.get("flag", 0.998)
    if isinstance(watch, int | float) and isinstance(limit, int | float) and watch >= limit:
        yield (*path, "flag"), f"found watch {watch} and flag {limit}", "watch below flag", ""
    if flag.get("rule") == "funnel" and measure.get("family") in ("gaussian", "log_gaussian"):
        yield (*path, "flag", "rule"), f"found funnel for the family {measure['family']}", "interval", ""


def _period_known(path: KeyPath, measure: dict[str, Any], tree: dict[str, Any]) -> Iterator[Finding]:
    name = measure.get("period")
    names = [period["name"] for period in _items(tree, "periods") if _is_name(period.get("name"))]
    if _is_name(name) and name not in names:
        wanted = f"one of {', '.join(names)}" if names else "a period listed under periods"
        yield (*path, "period"), f"found unknown period '{name}'", wanted, nearest(str(name), names, "period")


def _levels(path: KeyPath, measure: dict[str, Any]) -> Iterator[Finding]:
    levels = _items(measure, "providers")
    for key in ("level", "column"):
        for inner, found, wanted, advice in _repeated(levels, "providers", key):
            yield (*path, *inner), found, wanted, advice
    used = _columns(measure.get("case_mix"))
    for index, level in enumerate(levels):
        if level.get("level") in used:
            found = f"found the level '{level['level']}', which is also a column of the case mix"
            yield (*path, "providers", index, "level"), found, "another name for the level", ""
        yield from _formula((*path, "providers", index, "random"), level.get("random", "1"))


def _formula(path: KeyPath, text: Any) -> Iterator[Finding]:
    try:
        formula_columns(text) if isinstance(text, str) else ()
    except FormulaError as problem:
        yield path, f"found '{text}'", str(problem), ""


def _columns(text: Any) -> tuple[str, ...]:
    try:
        return formula_columns(text) if isinstance(text, str) else ()
    except FormulaError:
        return ()


def _case_mix(
    path: KeyPath, measure: dict[str, Any], tree: dict[str, Any], outcomes: set[str]
) -> Iterator[Finding]:
    place, used = (*path, "case_mix"), _columns(measure.get("case_mix"))
    allowed = measure.get("allow_in_case_mix")
    allowed = set(allowed) if isinstance(allowed, list) and all(map(_is_name, allowed)) else set()
    providers = _names(_items(measure, "providers"), "column")
    traits = set(_group(_group(_group(tree, "sources"), "clinics"), "columns"))
    elsewhere = set(_declared(tree, ("encounters", "patients")))
    advice = "If it is known before the care that is judged, list it under allow_in_case_mix"
    wanted = "traits of the patient on arrival"
    for column in used:
        if column == measure.get("outcome"):
            yield place, f"found the outcome '{column}' in the case mix", wanted, ""
        elif column in providers:
            yield place, f"found the provider column '{column}' in the case mix", wanted, ""
        elif column in outcomes - allowed:
            yield place, f"found '{column}', the outcome of another measure, in the case mix", wanted, advice
        elif column in traits - elsewhere - allowed:
            yield place, f"found '{column}', a trait of the provider, in the case mix", wanted, advice


def _columns_known(path: KeyPath, measure: dict[str, Any], tree: dict[str, Any]) -> Iterator[Finding]:
    known = _declared(tree, MEASURE_SOURCES)
    wanted = "a column of encounters, patients or clinics"
    if not _group(_group(tree, "sources"), "encounters"):
        return
    levels = _items(measure, "providers")
    uses: list[tuple[KeyPath, str]] = [((*path, "outcome"), measure.get("outcome", "encounter_id"))]
    uses += [((*path, "case_mix"), column) for column in _columns(measure.get("case_mix"))]
    uses += [((*path, "cohort", column), column) for column in _group(measure, "cohort")]
    for index, level in enumerate(levels):
        uses.append(((*path, "providers", index, "column"), level.get("column", "encounter_id")))
        uses += [((*path, "providers", index, "random"), name) for name in _columns(level.get("random"))]
    for place, column in uses:
        if _is_name(column) and column not in known:
            advice = nearest(column, known, "column") or "Declare it under columns of its source"
            yield place, f"found unknown column '{column}'", wanted, advice


def _declared(tree: dict[str, Any], sources: tuple[str, ...]) -> tuple[str, ...]:
    declared = _group(tree, "sources")
    names = [
        column
        for source in sources
        for column in (*CANONICAL_COLUMNS[source], *_group(_group(declared, source), "columns"))
    ]
    return tuple(dict.fromkeys(names))
