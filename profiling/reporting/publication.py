"""Publication: complete or not at all. A run's folder is written aside, hashed, moved into place, and then shown.

    site/runs/<run_id>/   immutable, with manifest.json: the SHA-256 of every file, and which files are volatile
    site/current          symbolic link to the run shown, replaced in one step
    site/index.html       leads to current/index.html

The same run published again gives the same bytes and is left as it stands. Where the bytes differ (another version
of the program, a repaired record) nothing is overwritten: the run is published beside the earlier one as <run_id>-2 ...
and `current` moves on, so that old links keep showing what they showed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from profiling.errors import InternalError, Problem, VerificationFailed
from profiling.reporting.disclosure_audit import audit_site
from profiling.reporting.downloads import write_json
from profiling.reporting.language import speaking
from profiling.reporting.manifest import file_sha256, manifest, verify
from profiling.reporting.presentation import PLAIN, Presentation
from profiling.reporting.sentences import say
from profiling.reporting.site import write_site
from profiling.reporting.site_files import MANIFEST

if TYPE_CHECKING:
    from profiling.reporting.suppression_extra import Earlier
    from profiling.store.runs import RunRecord

STAGING = ".staging-"
REDIRECT = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=current/index.html">
<title>{title}</title>
</head>
<body><p><a href="current/index.html">{words}</a></p></body>
</html>
"""


@dataclass(frozen=True)
class Publication:
    """What was put in place: the first page of the current site, the run's own folder, its manifest's SHA-256."""

    page: Path
    folder: Path
    manifest_sha256: str


def publish(
    record: RunRecord, output_folder: Path, earlier: Sequence[Earlier] = (), *, presentation: Presentation = PLAIN
) -> Publication:
    """Publish the public edition of a run under `output_folder` and make it the current one.

    earlier: what a reader has of runs published before. Raises DisclosureError, and publishes nothing, where the
    finished files give a protected count away.
    """
    runs = output_folder / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    _sweep(output_folder)
    staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=output_folder))
    try:
        write_site(record, staging, presentation=presentation)
        with speaking(presentation.language):
            audit_site(staging, record, earlier)
        write_json(manifest(record.run_id, staging), staging / MANIFEST)
        # mkdtemp makes a private folder; a site is for a web server or a file share.
        staging.chmod(0o755)
        _sync(staging)
        placed = _place(staging, runs, record.run_id)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    with speaking(presentation.language):
        _show(output_folder, placed)
    return Publication(output_folder / "current" / "index.html", placed, file_sha256(placed / MANIFEST))


def _place(staging: Path, runs: Path, run_id: str) -> Path:
    """Move the finished folder into place, or keep the earlier one that holds the same bytes and is whole."""
    made = (staging / MANIFEST).read_bytes()
    number = 1
    while True:
        target = runs / (run_id if number == 1 else f"{run_id}-{number}")
        if not target.exists():
            os.rename(staging, target)
            _sync_folder(runs)
            return target
        if (target / MANIFEST).is_file() and (target / MANIFEST).read_bytes() == made and _whole(target):
            return target
        number += 1


def _whole(folder: Path) -> bool:
    try:
        verify(folder)
    except VerificationFailed:
        return False
    return True


def _show(output_folder: Path, placed: Path) -> None:
    """Point `current` at a run in one step: a new link renamed over the old one."""
    link = output_folder / "current"
    if link.exists() and not link.is_symlink():
        raise InternalError(Problem(str(link), "a file or folder of another origin", "a symbolic link", "Move it away"))
    fresh = output_folder / f"{STAGING}current"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(Path("runs") / placed.name, target_is_directory=True)
    os.replace(fresh, link)
    page, text = output_folder / "index.html", _redirect()
    if not page.is_file() or page.read_text(encoding="utf-8") != text:
        aside = output_folder / f"{STAGING}index.html"
        aside.write_text(text, encoding="utf-8")
        os.replace(aside, page)
    _sync_folder(output_folder)


def _redirect() -> str:
    return REDIRECT.format(language=say("language"), title=say("current_title"), words=say("current_report"))


def _sweep(output_folder: Path) -> None:
    """Remove what an interrupted publication left behind; only one run is at work at a time."""
    for left in output_folder.glob(f"{STAGING}*"):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        else:
            _sync_folder(path)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
