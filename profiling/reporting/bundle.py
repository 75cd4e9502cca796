"""The bundle of one provider: its page with its own counts, and the worksheets from which every figure is recomputed.

For a named recipient, about its own patients, outside the public site. The provider and those of its inner providers
who see patients nowhere else are shown in full; all others stay masked as in public and lose their names. What others
could subtract with these figures they could subtract before: a provider knows its own counts.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from profiling.errors import Problem, UsageError
from profiling.reporting.disclosure import MaskedRun, mask
from profiling.reporting.downloads import COLUMNS, EXACT, write_csv, write_json
from profiling.reporting.manifest import manifest
from profiling.reporting.pages import hospital as page
from profiling.reporting.pages import methods
from profiling.reporting.pages.shared import Site, build, noun, nouns, slug
from profiling.reporting.provider_table import FOR_CONTROL, joined
from profiling.reporting.publication import STAGING
from profiling.reporting.sentences import say
from profiling.reporting.site import frame, style_sheet
from profiling.reporting.site_files import MANIFEST
from profiling.reporting.templating import environment
from profiling.reporting.worksheet import LINKS, worksheet
from profiling.shipped import templates_folder

if TYPE_CHECKING:
    from profiling.store.runs import RunRecord

OPENED = ("provider_evidence", "provider_periods", "social_risk")


def own_view(record: RunRecord, level: str, provider: str) -> MaskedRun:
    """The masked run as one provider may see it: itself and its own in full, the others without names."""
    masked = mask(record)
    full = joined(record, masked.specs).drop(columns=list(FOR_CONTROL))
    rows = masked.providers
    mine = ((rows["level"] == level) & (rows["provider"].astype(str) == provider)) | (
        (rows["parent"].astype(object) == provider) & (full["n_parents"].fillna(1).to_numpy(dtype=float) <= 1)
    )
    own = mine.to_numpy(dtype=bool)
    shared = [name for name in full.columns if name in rows.columns]
    opened = rows.copy()
    for name in shared:
        opened[name] = opened[name].astype(object).where(~own, full[name].astype(object).to_numpy())
        opened[name] = opened[name].infer_objects()
    opened["hidden"] = opened["hidden"].to_numpy(dtype=bool) & ~own
    named = own | (opened["parent"].astype(object) == provider).to_numpy(dtype=bool)
    opened["provider_name"] = opened["provider_name"].where(named, _blind(opened, int(record.run["seed"])))
    opened["parent_name"] = opened["parent_name"].where(named, None)
    opened_keys = opened.loc[own, ["measure", "level", "provider"]]
    tables: dict[str, Any] = {
        name: _with_own(getattr(masked, name), getattr(record, name), opened_keys) for name in OPENED
    }
    return replace(masked, providers=opened, edition="bundle", **tables)


def _with_own(masked: pd.DataFrame, full: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """The masked rows of others and the full rows of its own, in the order of the store."""
    key = list(own.columns)
    place = ["position"] if "position" in full else []
    mine = pd.MultiIndex.from_frame(own.astype(str))
    others = masked[~pd.MultiIndex.from_frame(masked[key].astype(str)).isin(mine)]
    rows = full[pd.MultiIndex.from_frame(full[key].astype(str)).isin(mine)]
    parts = [part for part in (others, rows) if len(part)]
    return pd.concat(parts).sort_values([*key, *place], ignore_index=True) if parts else masked


def _blind(rows: pd.DataFrame, seed: int) -> pd.Series:
    """Names that say nothing: the level and a number drawn without regard to name, size or result."""
    keys = rows["level"].astype(str) + "\0" + rows["provider"].astype(str)
    known = keys.drop_duplicates().sort_values()
    drawn = np.random.default_rng(seed).permutation(len(known)) + 1
    numbers = keys.map(dict(zip(known, drawn, strict=True)))
    levels = rows["level"].astype(str)
    words = {one: say("bundle_blind", level=noun(one), number="\0").split("\0") for one in levels.unique()}
    before, after = (levels.map({one: ends[place] for one, ends in words.items()}) for place in (0, 1))
    return before + numbers.astype(str) + after


def write_bundle(record: RunRecord, predictions: Mapping[str, pd.DataFrame], provider: str, folder: Path) -> Path:
    """Write the bundle of an outer provider (its id or its name) into folder/<run>/<name>; that folder.

    `predictions`: by measure, as the store keeps them. Raises UsageError for a provider that the run does not have.
    """
    level, key, name = _found(record, provider)
    target = folder / record.run_id / (slug(name) or slug(key) or "provider")
    target.parent.mkdir(parents=True, exist_ok=True)
    # mkdtemp makes a folder that only its owner may enter, and so it stays.
    staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=folder))
    try:
        _write_pages(record, level, key, name, staging)
        _write_tables(record, predictions, level, key, staging)
        _write_readme(record, level, name, staging)
        write_json(manifest(record.run_id, staging), staging / MANIFEST)
        shutil.rmtree(target, ignore_errors=True)
        os.rename(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return target


def _found(record: RunRecord, wanted: str) -> tuple[str, str, str]:
    """Level, id and name of an outer provider."""
    outer = record.provider_estimates[record.provider_estimates["parent"].isna()]
    names = outer["provider_name"].fillna(outer["provider"]).astype(str)
    by_id, by_name = outer["provider"].astype(str) == wanted, names == wanted
    chosen = outer[by_id] if by_id.any() else outer[by_name]
    keys = list(dict.fromkeys(zip(chosen["level"].astype(str), chosen["provider"].astype(str), strict=True)))
    if len(keys) != 1:
        found = "no such provider" if not keys else f"{len(keys)} providers of that name"
        advice = "The ids stand in downloads/*.csv of the site"
        raise UsageError(Problem(f"run {record.run_id}, outer provider", found, "one id or one name", advice))
    return *keys[0], str(names[chosen.index[0]])


def _write_pages(record: RunRecord, level: str, key: str, name: str, folder: Path) -> None:
    view = own_view(record, level, key)
    built = build(view)
    # No other page is in the bundle, so none is linked.
    site = Site(built.masked, built.measures, {}, built.names)
    made = environment(templates_folder())
    note = say("bundle_note", name=name)
    shared = frame(site) | {"navigation": [], "root": "", "disclosure_note": note}
    prepared = tuple(page.prepare(site, measure) for measure in site.measures)
    content = page.context(site, prepared, level, key)
    content["measures"] = [part | {"href": ""} for part in content["measures"]]
    for template, context in (("hospital.html", content), ("methods.html", methods.context(site))):
        target = folder / ("index.html" if template == "hospital.html" else template)
        target.write_text(made.get_template(template).render(**shared, **context), encoding="utf-8", errors="replace")
    (folder / "assets").mkdir()
    (folder / "assets" / "style.css").write_text(style_sheet(), encoding="utf-8")


def _write_tables(
    record: RunRecord, predictions: Mapping[str, pd.DataFrame], level: str, key: str, folder: Path
) -> None:
    estimates = record.provider_estimates
    own = (estimates["level"] == level) & (estimates["provider"].astype(str) == key)
    alone = (estimates["parent"].astype(object) == key) & (estimates["n_parents"].fillna(1).astype(float) <= 1)
    summary = estimates[own | alone].drop(columns="run_id", errors="ignore")
    known = [name for name in ("measure", "level", *COLUMNS) if name in summary.columns]
    write_csv(summary[known], folder / "summary.csv", digits=EXACT)
    for row in record.measures.itertuples():
        measure, spec = str(row.measure), json.loads(str(row.spec_json))
        mine = estimates[estimates["measure"] == measure]
        # A row of several trials keeps their sum, from which its linear predictor does not follow.
        if not spec.get("trials") and measure in predictions and (own & (estimates["measure"] == measure)).any():
            rows = worksheet(predictions[measure], mine, key, str(spec["family"]))
            write_csv(rows, folder / f"worksheet_{measure}.csv", digits=EXACT)
            effects = record.fixed_effects[record.fixed_effects["measure"] == measure]
            write_csv(
                effects[["term", "estimate", "standard_error"]], folder / f"coefficients_{measure}.csv", digits=EXACT
            )


def _write_readme(record: RunRecord, level: str, name: str, folder: Path) -> None:
    specs = {str(row.measure): json.loads(str(row.spec_json)) for row in record.measures.itertuples()}
    links = "; ".join(
        say("bundle_link", link=LINKS[str(spec["family"])], measure=measure) for measure, spec in specs.items()
    )
    levels = [entry["level"] for spec in specs.values() for entry in spec["providers"][1:]]
    inner = nouns(str(levels[0]) if levels else "provider")
    text = say(
        "bundle_readme",
        title=record.run["title"],
        run=record.run_id,
        name=name,
        noun=noun(level),
        inner=inner,
        links=links,
    )
    (folder / "README.txt").write_text(text, encoding="utf-8")
