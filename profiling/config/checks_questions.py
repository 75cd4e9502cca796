"""Checks of what a measure asks beside its main question, and of composites; they read the plain file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from profiling.config.problems import nearest
from profiling.config.tree import Finding, columns, group, is_name, items, names, texts
from profiling.config.yaml_text import KeyPath

LATENT_LEAST = 3
BASES = {"exposure": "poisson", "trials": "binomial"}


def carried(measure: dict[str, Any]) -> list[tuple[KeyPath, str]]:
    """Key and column of the columns that a measure names beside its model."""
    found: list[tuple[KeyPath, str]] = [((key,), measure[key]) for key in BASES if is_name(measure.get(key))]
    found += [(("social_risk",), column) for column in columns(measure.get("social_risk"))]
    return found + [(("subgroups", place), column) for place, column in texts(measure, "subgroups")]


def measure_findings(path: KeyPath, measure: dict[str, Any]) -> Iterator[Finding]:
    """Keys of a measure that do not go together."""
    family = measure.get("family")
    for key, wanted in BASES.items():
        if measure.get(key) is not None and is_name(family) and family != wanted:
            yield (*path, key), f"found {key} for the family {family}", f"{key} only for the family {wanted}", ""
    used = {measure.get("outcome"), *columns(measure.get("case_mix")), *names(items(measure, "providers"), "column")}
    for key in BASES:
        if is_name(measure.get(key)) and measure[key] in used:
            yield (*path, key), f"found '{measure[key]}', which the model uses already", "a column of its own", ""
    yield from _subgroups(path, measure)


def _subgroups(path: KeyPath, measure: dict[str, Any]) -> Iterator[Finding]:
    listed = texts(measure, "subgroups")
    no_group = {measure.get("outcome"): "the outcome"}
    no_group |= dict.fromkeys(names(items(measure, "providers"), "column"), "the provider column")
    for place, column in listed:
        where = (*path, "subgroups", place)
        if column in no_group:
            yield where, f"found {no_group[column]} '{column}'", "a trait of the patient", ""
        if column in [earlier for earlier_place, earlier in listed if earlier_place < place]:
            yield where, f"found '{column}' a second time", "every column once", ""


def composite_findings(tree: dict[str, Any]) -> Iterator[Finding]:
    """What a composite names and is not there, or cannot be put together."""
    measures = {str(measure["name"]): measure for measure in items(tree, "measures") if is_name(measure.get("name"))}
    for index, composite in enumerate(items(tree, "composites")):
        path: KeyPath = ("composites", index)
        chosen = dict(_chosen(path, composite))
        for place, name in chosen.items():
            yield from _part(place, name, composite, measures)
        if composite.get("kind") == "latent" and 0 < len(chosen) < LATENT_LEAST:
            yield (*path, "measures"), f"found {len(chosen)} measures for kind latent", "three or more", ""
        ways = {measures[name].get("direction") for name in chosen.values() if name in measures}
        if composite.get("kind") == "opportunity" and len(ways) > 1:
            found, wanted = "found measures that are worse in opposite ways", "one direction for kind opportunity"
            yield (*path, "measures"), found, wanted, ""
        if composite.get("kind") in ("latent", "opportunity") and _weighted(composite):
            found = f"found weights for kind {composite['kind']}"
            yield (*path, "measures"), found, "a list of measures; only kind weighted has weights", ""


def _chosen(path: KeyPath, composite: dict[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    for place, name in texts(composite, "measures"):
        yield (*path, "measures", place), name
    for name in group(composite, "measures"):
        yield (*path, "measures", name), name


def _weighted(composite: dict[str, Any]) -> bool:
    return len(set(map(str, group(composite, "measures").values()))) > 1


def _part(
    place: KeyPath, name: str, composite: dict[str, Any], measures: dict[str, dict[str, Any]]
) -> Iterator[Finding]:
    if name not in measures:
        yield place, f"found unknown measure '{name}'", "a measure of this file", nearest(name, measures, "measure")
        return
    level, levels = composite.get("level"), names(items(measures[name], "providers"), "level")
    if is_name(level) and levels and level not in levels:
        wanted = f"measures with the level {level}"
        yield place, f"found '{name}', which has no level '{level}'", wanted, ""
    if composite.get("kind") == "opportunity" and measures[name].get("family") in ("gaussian", "log_gaussian"):
        yield place, f"found '{name}', which counts no events", "measures of events for kind opportunity", ""
