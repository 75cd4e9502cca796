"""The stages of a run, each of which ends in one transaction or in nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from profiling import __version__
from profiling.config import Settings
from profiling.errors import InputRejected, Problem, UsageError
from profiling.pipeline.clock import Clock, Progress, silent

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy.engine import Engine

    from profiling.etl import LoadReport
    from profiling.store.runs import RunRecord


@dataclass(frozen=True)
class Published:
    """How a run ended. `records`: rows read and rejected by source; `flags`: counts by measure and level."""

    run_id: str
    page: Path
    records: dict[str, tuple[int, int]]
    providers: dict[str, int]
    flags: dict[tuple[str, str], dict[str, int]]
    seconds: dict[str, float]


def run_all(settings: Settings, engine: Engine, now: datetime, progress: Progress = silent) -> Published:
    """Records to pages. Raises the error of the first stage that fails; nothing is published then."""
    from profiling.pipeline.publishing import require_extras

    require_extras(settings.output)
    clock = Clock()
    with clock.stage("load"):
        load_records(settings, engine, now, progress)
    run_id = fit_measures(settings, engine, now, progress, clock)
    return publish_run(settings, engine, run_id, progress, clock)


def load_records(settings: Settings, engine: Engine, now: datetime, progress: Progress = silent) -> LoadReport:
    """Stage `load`: the files of the configuration into the tables of records."""
    from profiling.etl.load import load

    return load(settings, engine, now, progress)


def fit_measures(
    settings: Settings, engine: Engine, now: datetime, progress: Progress = silent, clock: Clock | None = None
) -> str:
    """Stages `cohort`, `fit`, `assess` and `evidence` for every measure; the id of the run that keeps what they found.

    All results are written in one transaction. Raises NotConverged where a model has no trustworthy maximum;
    the run is then kept as failed, without results.
    """
    from profiling.pipeline.analysis import analyse, stacked
    from profiling.pipeline.comments import comment_frame
    from profiling.pipeline.composites import composite_frames
    from profiling.pipeline.software import software
    from profiling.store.publications import History, again
    from profiling.store.runs import finish_run, new_run, write_results

    clock = clock or Clock()
    run_id = identify(settings, engine, now)
    new_run(
        engine,
        run_id=run_id,
        created_at=now,
        seed=settings.seed,
        version=__version__,
        title=settings.title,
        config_text=settings.text,
        config_sha256=settings.sha256,
        threshold=settings.disclosure.threshold,
        output_json=again(engine, run_id, History(software=software())).as_json(),
    )
    try:
        found, parts = analyse(settings, engine, progress, clock)
        frames = stacked(found) | composite_frames(settings, parts)
        frames |= {"provider_comments": comment_frame(engine), "run_timings": _timings(clock)}
        write_results(engine, run_id, frames)
    except BaseException:
        finish_run(engine, run_id, "failed")
        raise
    finish_run(engine, run_id, "fitted")
    return run_id


def identify(settings: Settings, engine: Engine, now: datetime) -> str:
    """The id of a run: the same for the same configuration, files and moment. InputRejected before a load."""
    from profiling.store.runs import current_inputs

    inputs = current_inputs(engine)
    if inputs.empty:
        advice = "Run profiling load first"
        raise InputRejected(Problem("database", "no records are loaded", "records", advice))
    parts = [settings.sha256, *inputs["sha256"].astype(str), now.isoformat()]
    return f"r-{sha256(chr(10).join(parts).encode()).hexdigest()[:8]}"


def publish_run(
    settings: Settings,
    engine: Engine,
    run_id: str | None = None,
    progress: Progress = silent,
    clock: Clock | None = None,
    *,
    release: bool = False,
) -> Published:
    """Stage `publish`: draw the pages of a run (the newest by default) from the store.

    Raises PublicationHeld where the gate holds a run that was never published, unless it is released.
    """
    from profiling.pipeline.publishing import draw, pass_gate, require_extras
    from profiling.store.publications import keep_history
    from profiling.store.runs import latest_run, read_run, write_results

    require_extras(settings.output)
    chosen = run_id or latest_run(engine)
    if chosen is None:
        raise UsageError(Problem("run", "no fitted run in this database", "one", "Run profiling fit, or profiling run"))
    again, clock = clock is None, clock or Clock()
    record = read_run(engine, chosen)
    if record.run["status"] not in ("fitted", "published"):
        found = f"run {chosen} is {record.run['status']}"
        raise UsageError(Problem("run", found, "a fitted run", "profiling runs lists them"))
    record, history, earlier = pass_gate(settings, engine, record, release)
    with clock.stage("publish"):
        progress("Writing the pages")
        made = draw(record, settings.output, earlier)
    if not again:
        write_results(engine, chosen, {"run_timings": _timings(clock)})
    keep_history(engine, chosen, "published", history.with_folder(made.folder.name, made.manifest_sha256))
    return describe(record, made.page, clock)


def _timings(clock: Clock) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(list(clock.seconds.items()), columns=["stage", "seconds"])


def describe(record: RunRecord, page: Path, clock: Clock) -> Published:
    """How a run ended, from its record."""
    by_source = record.inputs.groupby("source", sort=True)[["rows_read", "rows_rejected"]].sum()
    providers = record.flags.groupby("level", sort=False)["provider"].nunique()
    return Published(
        run_id=record.run_id,
        page=page,
        records={
            name: (int(read), int(bad)) for name, (read, bad) in zip(by_source.index, by_source.to_numpy(), strict=True)
        },
        providers=dict(zip(providers.index, providers.tolist(), strict=True)),
        flags=_flag_counts(record.flags, record.measures["measure"].tolist()),
        seconds=dict(clock.seconds),
    )


def _flag_counts(flags: pd.DataFrame, measures: list[str]) -> dict[tuple[str, str], dict[str, int]]:
    """Counts by measure and level, measures in the order of the configuration."""
    keys = ["measure", "level", "category"]
    counts = flags.groupby(keys, sort=False).size().rename("providers").reset_index()
    counts = counts.sort_values("measure", key=lambda names: names.map(measures.index), kind="stable")
    found: dict[tuple[str, str], dict[str, int]] = {}
    for measure, level, category, providers in zip(*(counts[name] for name in [*keys, "providers"]), strict=True):
        found.setdefault((measure, level), {})[category] = int(providers)
    return found
