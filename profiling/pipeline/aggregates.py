"""From a published table of providers to the same kind of report: read, assess, keep as a run, draw.

The table has a row a provider: cases, and observed and expected events or rates. There are no patient rows, so there
is no model, no case mix and no cohort to show.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from profiling import __version__
from profiling.errors import InputRejected, ModelError, Problem
from profiling.pipeline.clock import Clock, Progress, silent
from profiling.pipeline.software import software
from profiling.pipeline.stages import Published, describe

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy.engine import Engine

    from profiling.assessment import ProfileOptions

MOST_EXPLAINED = 50_000
SOURCE, MEASURE = "aggregates", "table"
REQUIRED = ("provider", "n")
PAIRS = (("observed", "observed_rate"), ("expected", "expected_rate"))
OPTIONAL = ("provider_name",)
KNOWN = (*REQUIRED, *OPTIONAL, *(name for pair in PAIRS for name in pair))


@dataclass(frozen=True)
class TableWords:
    """What the pages say of a table: title of the report, of the measure, plural of the event, name of the level."""

    title: str
    event: str
    level: str
    higher_is_worse: bool = True

    @property
    def question(self) -> str:
        """The question the table answers."""
        from profiling.reporting.sentences import plural

        return f"Which {plural(self.level.replace('_', ' '))} had more or fewer {self.event} than expected?"


def read_aggregates(path: Path, columns: Mapping[str, str], per: float = 1.0) -> pd.DataFrame:
    """The table under its canonical names: provider, provider_name, n, observed, expected.

    columns: canonical name -> name in the file, for those that differ. Rates are numbers per `per` cases; observed
    events are then rounded to whole ones. Raises InputRejected.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path, dtype={columns.get("provider", "provider"): str}, encoding_errors="replace")
    except (OSError, ValueError) as error:
        wanted = "a CSV file with a head and a row a provider"
        raise InputRejected(Problem(str(path), f"not readable: {type(error).__name__}", wanted)) from None
    table.columns = table.columns.astype(str).str.strip()
    unknown = sorted(set(columns) - set(KNOWN))
    if unknown:
        raise InputRejected(Problem("columns", f"found {', '.join(unknown)}", f"names among {', '.join(KNOWN)}"))
    named = table.rename(columns={theirs: ours for ours, theirs in columns.items()})
    _require(path, named, columns)
    n = pd.to_numeric(named["n"], errors="coerce")
    for count, rate in PAIRS:
        if count not in named:
            named[count] = pd.to_numeric(named[rate], errors="coerce") * n / per
            named[count] = named[count].round() if count == "observed" else named[count]
    if "provider_name" not in named:
        named["provider_name"] = named["provider"]
    return named[["provider", "provider_name", "n", "observed", "expected"]]


def _require(path: Path, table: pd.DataFrame, columns: Mapping[str, str]) -> None:
    missing = [name for name in REQUIRED if name not in table]
    missing += [f"{count} or {rate}" for count, rate in PAIRS if count not in table and rate not in table]
    if missing:
        absent = [columns.get(name, name) for name in missing]
        found = f"no column {', '.join(absent)}; it has {', '.join(map(str, table.columns[:20]))}"
        advice = "Name them: --columns provider=CODE,n=PATIENTS,observed=DEATHS,expected=EXPECTED"
        raise InputRejected(Problem(str(path), found, "provider, n, observed, expected (or rates)", advice))


def assess_table(
    path: Path,
    table: pd.DataFrame,
    words: TableWords,
    options: ProfileOptions,
    engine: Engine,
    folder: Path,
    now: datetime,
    threshold: int,
    progress: Progress = silent,
) -> Published:
    """Assess the table, keep what was found as a run of the database, and publish its pages under `folder`."""
    from profiling.pipeline.earlier import with_decision
    from profiling.reporting.publication import publish
    from profiling.store.publications import History, again, history_of, keep_history
    from profiling.store.runs import new_run, read_run, write_results

    clock = Clock()
    with clock.stage("assess"):
        progress(f"Assessing {len(table):,} providers")
        frames = aggregate_frames(table, words, options)
    digest = sha256(path.read_bytes()).hexdigest()
    specification = frames["measures"]["spec_json"].iloc[0]
    config = sha256(specification.encode()).hexdigest()
    run_id = f"r-{sha256(chr(10).join([config, digest, now.isoformat()]).encode()).hexdigest()[:8]}"
    new_run(
        engine,
        run_id=run_id,
        created_at=now,
        seed=options.seed,
        version=__version__,
        title=words.title,
        config_text=specification,
        config_sha256=config,
        threshold=threshold,
        output_json=again(engine, run_id, History(software=software())).as_json(),
    )
    write_results(engine, run_id, frames | {"run_inputs": _inputs(path, digest, len(table))})
    with clock.stage("publish"):
        progress("Writing the pages")
        record, earlier = with_decision(engine, read_run(engine, run_id))
        made = publish(record, folder, earlier)
    history = history_of(record.run).with_folder(made.folder.name, made.manifest_sha256)
    keep_history(engine, run_id, "published", history)
    return describe(record, made.page, clock)


def aggregate_frames(table: pd.DataFrame, words: TableWords, options: ProfileOptions) -> dict[str, pd.DataFrame]:
    """The frames of the store for a table of aggregates; InputRejected for numbers that cannot be."""
    import pandas as pd

    from profiling import assessment as a

    try:
        assessment = a.assess_aggregates(table, "provider", options)
    except ModelError as error:
        raise InputRejected(list(error.problems)) from None
    names = dict(zip(table["provider"].astype(str), table["provider_name"].astype(str), strict=True))
    frame = assessment.frame.assign(level=words.level, provider_name=lambda t: t["provider"].astype(str).map(names))
    checks = a.level_checks(words.level, assessment)
    balance = float(frame["observed"].sum() / frame["expected"].sum())
    checks.append(("observed_over_expected", balance, "observed over expected as published"))
    found = {
        "measures": _specification(frame, words, options),
        "model_checks": pd.DataFrame(checks, columns=["name", "value", "note"]),
        "provider_estimates": frame,
        "flags": a.flags(assessment, words.level),
        "funnel_limits": a.funnel_limits(assessment, words.level),
    }
    if len(frame) <= MOST_EXPLAINED:
        variants = a.rule_variants(assessment)
        compared = a.sensitivity(assessment, variants, words.level)
        found["provider_evidence"] = a.provider_evidence(assessment, words.level, variants)
        found["sensitivity"] = compared.assign(position=range(len(compared)))
    return {name: part.assign(measure=MEASURE) for name, part in found.items()}


def _specification(frame: pd.DataFrame, words: TableWords, options: ProfileOptions) -> pd.DataFrame:
    import pandas as pd

    spec: dict[str, Any] = {
        "name": MEASURE,
        "source": SOURCE,
        "title": words.title,
        "question": words.question,
        "event": words.event,
        "outcome": "observed",
        "direction": "higher_is_worse" if words.higher_is_worse else "higher_is_better",
        "family": "binomial",
        "case_mix": "1",
        "providers": [{"level": words.level, "column": "provider", "random": "1"}],
        "minimum_cases": options.minimum_cases,
        "flag": {
            "rule": options.rule,
            "watch": options.watch,
            "flag": options.flag,
            "overdispersion": options.overdispersion,
        },
    }
    return pd.DataFrame(
        [
            {
                "position": 0,
                "spec_json": json.dumps(spec, sort_keys=True),
                "rows_used": int(frame["n"].sum()),
                "overall_rate": float(frame["observed"].sum() / frame["n"].sum()),
            }
        ]
    )


def _inputs(path: Path, digest: str, rows: int) -> pd.DataFrame:
    import pandas as pd

    row = {"source": SOURCE, "file_name": path.name, "sha256": digest}
    return pd.DataFrame([row | {"rows_read": rows, "rows_accepted": rows, "rows_rejected": 0, "load_id": None}])
