"""What comes after the results: the pages of a run put into place, and compared with what was put there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from profiling.config import Settings
from profiling.errors import Problem, ProfilingError, UsageError, VerificationFailed

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


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
