"""Loading: every source read, judged and written in one transaction, or nothing changed at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from sqlalchemy.engine import Engine

from profiling.config import RECORD_IDS, Settings
from profiling.errors import ConfigurationError, InputRejected, Problem
from profiling.etl.batches import Batch, RuleOutcome, declaration, read_batch, refusals
from profiling.etl.columns import LOAD_ORDER, REFERENCES, unfit
from profiling.etl.comments import SOURCE as COMMENTS
from profiling.etl.comments import known_providers
from profiling.etl.reading import Unreadable, fingerprint
from profiling.etl.standing import Standing, read_standing
from profiling.etl.writing import write_batches
from profiling.store.engine import writing

Progress = Callable[[str], None]


@dataclass(frozen=True)
class SourceReport:
    """What became of one source."""

    source: str
    files: tuple[str, ...]
    rows_read: int
    rows_accepted: int
    rows_rejected: int
    already_loaded: bool
    rules: tuple[RuleOutcome, ...] = ()


@dataclass(frozen=True)
class LoadReport:
    """What became of every source, in the order of loading."""

    sources: tuple[SourceReport, ...]

    @property
    def rows_read(self) -> int:
        """Data rows of all sources."""
        return sum(source.rows_read for source in self.sources)

    @property
    def rows_accepted(self) -> int:
        """Accepted rows of all sources."""
        return sum(source.rows_accepted for source in self.sources)

    @property
    def rows_rejected(self) -> int:
        """Rejected rows of all sources."""
        return sum(source.rows_rejected for source in self.sources)

    @property
    def already_loaded(self) -> bool:
        """Whether every file was recognised, so that nothing had to be written."""
        return all(source.already_loaded for source in self.sources)


def check_inputs(settings: Settings, progress: Progress = lambda text: None) -> LoadReport:
    """Read all sources and apply all rules, touching nothing. Raises InputRejected as `load` would."""
    batches = _read(settings, Standing(), set(settings.sources), progress)
    return LoadReport(tuple(_report(batch) for batch in batches))


def load(settings: Settings, engine: Engine, now: datetime, progress: Progress = lambda text: None) -> LoadReport:
    """Bring the records of all sources into the database.

    A file already loaded (same SHA-256, same declaration) is recognised and left; a source that has changed
    replaces its earlier rows, and the sources that refer to it are read again. One transaction for all.
    Raises InputRejected with everything that is wrong with all sources; the database is then as before.
    """
    standing = read_standing(engine)
    changed = _changed(settings, standing)
    batches = _read(settings, standing, changed, progress, engine)
    if changed:
        progress("writing records")
        with writing(engine) as connection:
            write_batches(connection, settings, batches, now)
    reports = {batch.source: _report(batch) for batch in batches}
    kept = {name: _recognised(settings, name, standing) for name in settings.sources if name not in changed}
    every: Mapping[str, SourceReport] = reports | kept
    return LoadReport(tuple(every[name] for name in LOAD_ORDER if name in every))


def _changed(settings: Settings, standing: Standing) -> set[str]:
    """Sources to read: those with another file or declaration than stands, and those that refer to them."""
    changed: set[str] = set()
    for name, source in settings.sources.items():
        try:
            marks = tuple(fingerprint(path, f"sources.{name}")[0] for path in source.files)
        except Unreadable:
            # Read again below, where all problems come together.
            changed.add(name)
            continue
        if not standing.holds(name, marks, declaration(settings, name)):
            changed.add(name)
    if standing.sources - set(settings.sources):
        return {*settings.sources}
    for name in LOAD_ORDER:
        if name in settings.sources and changed & set(REFERENCES[name].values()):
            changed.add(name)
    # Derived clinics come from encounters and physicians alike: they are read together.
    if "clinics" not in settings.sources and changed & {"encounters", "physicians"}:
        changed |= {"encounters", "physicians", "diagnoses"} & set(settings.sources)
    # Whom a comment may be about is seen in the encounters.
    return changed | ({COMMENTS} & set(settings.sources) if "encounters" in changed else set())


def _read(
    settings: Settings, standing: Standing, changed: set[str], progress: Progress, engine: Engine | None = None
) -> list[Batch]:
    misfits = [problem for name, source in settings.sources.items() for problem in unfit(name, source)]
    if misfits:
        raise ConfigurationError(misfits)
    problems: list[Problem] = []
    batches: list[Batch] = []
    known: dict[str, pa.Array] = {}
    births = standing.births
    for name in LOAD_ORDER:
        if name not in settings.sources:
            continue
        if name == COMMENTS and problems:
            # Without all providers no comment can be judged.
            continue
        if name not in changed:
            known |= {name: standing.ids[name]} if name in standing.ids else {}
            continue
        progress(f"reading {name}")
        try:
            providers = known_providers(settings, batches, engine) if name == COMMENTS else None
            batch = read_batch(settings, name, known, births, providers)
        except Unreadable as error:
            problems += error.problems
            continue
        refused = refusals(batch)
        problems += refused
        batches.append(batch)
        if refused:
            # Rows that refer to a refused source are not to blame.
            continue
        if name in RECORD_IDS:
            known[name] = batch.accepted.column(RECORD_IDS[name]).combine_chunks()
        if name == "patients":
            births = _births(batch.accepted)
    if problems:
        raise InputRejected(problems)
    return batches


def _births(patients: pa.Table) -> pa.Table | None:
    held = {"patient_id", "birth_date"} <= set(patients.column_names)
    return patients.select(["patient_id", "birth_date"]) if held else None


def _report(batch: Batch) -> SourceReport:
    files = tuple(file.path.name for file in batch.files)
    accepted = batch.rows_read - batch.rows_rejected
    return SourceReport(batch.source, files, batch.rows_read, accepted, batch.rows_rejected, False, batch.rules)


def _recognised(settings: Settings, name: str, standing: Standing) -> SourceReport:
    files = tuple(path.name for path in settings.sources[name].files)  # type: ignore[index]
    return SourceReport(name, files, *standing.counts(name), True, standing.rules(name))
