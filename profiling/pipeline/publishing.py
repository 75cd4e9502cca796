"""What comes after the results: the pages of a run put into place, and compared with what was put there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from profiling.config import Settings
from profiling.errors import Problem, ProfilingError, PublicationHeld, UsageError, VerificationFailed

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from profiling.config.sources import Output
    from profiling.reporting.publication import Publication
    from profiling.reporting.suppression_extra import Earlier
    from profiling.store.publications import History
    from profiling.store.runs import RunRecord


def draw(record: RunRecord, output: Output, earlier: Sequence[Earlier] = ()) -> Publication:
    """Draw the pages of a run and put them into place in one step. `earlier`: what a reader has of other runs."""
    from profiling.reporting.presentation import Presentation
    from profiling.reporting.publication import publish

    chosen = Presentation(physician_pages=output.physician_pages, pdf=output.pdf, language=output.language)
    return publish(record, output.folder, earlier, presentation=chosen)


def require_extras(output: Output) -> None:
    """Raise ConfigurationError before any work where what the configuration asks for is not installed."""
    if output.pdf:
        from profiling.reporting.pdf import require_pdf

        require_pdf()


def pass_gate(
    settings: Settings, engine: Engine, record: RunRecord, release: bool
) -> tuple[RunRecord, History, list[Earlier]]:
    """The run with its history, if it may be published. Raises PublicationHeld with every reason if it may not.

    A run that was published once is drawn again as it was; one that was released stays released. What is hidden is
    decided here, against what a reader has of the runs published before, which come with it.
    """
    from profiling.pipeline.changes import changes_between
    from profiling.pipeline.earlier import with_decision
    from profiling.pipeline.gate import reasons
    from profiling.store.publications import history_of, keep_history, published_before
    from profiling.store.runs import read_run

    history = history_of(record.run)
    if record.run["status"] != "published":
        previous = published_before(engine, record.run)
        gate = settings.publication.gate
        before = read_run(engine, previous) if previous else None
        found = reasons(record, before, gate) if before and gate else []
        history = replace(
            history,
            previous=previous,
            changes=changes_between(before, record) if before else {},
            held=tuple(reason.kind for reason in found),
            released=bool(found) and (release or history.released),
            # A decision that was published once stands: another one beside it would give the first away.
            disclosure=history.disclosure if history.folders else {},
        )
        keep_history(engine, record.run_id, str(record.run["status"]), history)
        if found and not history.released:
            advice = f"If it is right: profiling release {record.run_id}"
            raise PublicationHeld(
                Problem(f"measure {reason.measure}", reason.found, reason.expected, advice) for reason in found
            )
    record, earlier = with_decision(engine, replace(record, run=record.run | {"output_json": history.as_json()}))
    return record, history_of(record.run), earlier


def verify_run(settings: Settings, engine: Engine, name: str | None = None) -> dict[Path, int]:
    """Folders compared and the number of their files. `name`: a run (all its versions), a version, or None (current).

    Raises VerificationFailed with every changed, missing or added file of all these folders.
    """
    from profiling.reporting.manifest import verify
    from profiling.store.publications import run_of_folder

    runs = settings.output.folder / "runs"
    current = settings.output.folder / "current"
    wanted = current.resolve().name if name is None and current.exists() else name
    known = run_of_folder(engine, wanted) if wanted else None
    if known is None:
        found = f"no published run {wanted!r}" if wanted else "nothing is published"
        raise UsageError(Problem(str(runs), found, "an id from `profiling runs`", "Publish with profiling report"))
    run_id, history = known
    stated = {version: sha for version, sha in history.folders.items() if wanted in (run_id, version)}
    if not stated:
        raise UsageError(Problem(f"run {wanted}", "was never published", "a published run", "profiling report"))
    compared: dict[Path, int] = {}
    problems: list[Problem] = []
    for version, sha256 in stated.items():
        try:
            compared[runs / version] = verify(runs / version, sha256)
        except ProfilingError as error:
            problems += error.problems
    if problems:
        raise VerificationFailed(problems)
    return compared


def compare_runs(settings: Settings, engine: Engine, former: str, later: str) -> Path:
    """Write the page of two runs side by side; the later one must be published. Returns the page."""
    from profiling.pipeline.earlier import with_decision
    from profiling.reporting.compare_site import publish_comparison
    from profiling.reporting.language import speaking
    from profiling.store.publications import history_of
    from profiling.store.runs import read_predictions, read_run

    if former == later:
        raise UsageError(Problem("runs", f"{former!r} twice", "two runs", "profiling runs lists them"))
    records = [read_run(engine, run_id) for run_id in (former, later)]
    for record in records:
        if record.measures.empty:
            found = f"run {record.run_id} is {record.run['status']} and has no results"
            raise UsageError(Problem("run", found, "a fitted run", "profiling runs lists them"))
    folders = [name for name in history_of(records[1].run).folders if (settings.output.folder / "runs" / name).is_dir()]
    if not folders:
        advice = f"Publish it first: profiling report {later}"
        raise UsageError(Problem(f"run {later}", "its pages are not there", "a published run", advice))
    measures = [name for name in records[1].measures["measure"] if name in set(records[0].measures["measure"])]
    cases = {
        str(name): (read_predictions(engine, former, str(name)), read_predictions(engine, later, str(name)))
        for name in measures
    }
    records = [with_decision(engine, record)[0] for record in records]
    with speaking(settings.output.language):
        return publish_comparison(records[0], records[1], cases, settings.output.folder, folders[-1])


def bundle_run(settings: Settings, engine: Engine, run_id: str, provider: str, folder: Path) -> Path:
    """Write the bundle of one outer provider under `folder`, which must not lie in the public site; its folder."""
    from profiling.pipeline.earlier import with_decision
    from profiling.reporting.bundle import write_bundle
    from profiling.reporting.language import speaking
    from profiling.store.runs import read_predictions, read_run

    site = settings.output.folder.resolve()
    if folder.resolve() == site or site in folder.resolve().parents:
        found = "a folder inside the public site"
        raise UsageError(Problem("--folder", found, "one outside it", "A bundle holds small counts of named people"))
    record = read_run(engine, run_id)
    if record.measures.empty:
        raise UsageError(Problem("run", f"run {run_id} has no results", "a fitted run", "profiling runs lists them"))
    record, _ = with_decision(engine, record)
    predictions = {str(name): read_predictions(engine, run_id, str(name)) for name in record.measures["measure"]}
    folder.mkdir(parents=True, exist_ok=True)
    with speaking(settings.output.language):
        return write_bundle(record, predictions, provider, folder)
