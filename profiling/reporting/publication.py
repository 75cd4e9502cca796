"""Publication: complete or not at all. A run's folder is written aside, hashed, moved into place, and then shown.

    site/runs/<run_id>/   immutable, with manifest.json: the SHA-256 of every file, and which files are volatile
    site/current          symbolic link to the run shown, replaced in one step
    site/index.html       leads to current/index.html

The same run published again gives the same bytes and is left as it stands. Where the bytes differ (another version
of the program, a repaired record) nothing is overwritten: the run is published beside the earlier one as <run_id>-2 ...
and `current` moves on, so that old links keep showing what they showed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from profiling.errors import InternalError, Problem, VerificationFailed
from profiling.reporting.downloads import write_json
from profiling.reporting.site import TIMINGS, write_site

if TYPE_CHECKING:
    from profiling.store.runs import RunRecord

MANIFEST = "manifest.json"
VOLATILE = (TIMINGS,)
STAGING = ".staging-"
CHUNK = 1 << 20
REDIRECT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=current/index.html">
<title>Report</title>
</head>
<body><p><a href="current/index.html">The current report</a></p></body>
</html>
"""


def publish(record: RunRecord, output_folder: Path) -> Path:
    """Publish the public edition of a run under `output_folder`; returns the first page of the current site."""
    runs = output_folder / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    _sweep(output_folder)
    staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=output_folder))
    try:
        write_site(record, staging)
        write_json(manifest(record.run_id, staging), staging / MANIFEST)
        # mkdtemp makes a private folder; a site is for a web server or a file share.
        staging.chmod(0o755)
        _sync(staging)
        placed = _place(staging, runs, record.run_id)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    _show(output_folder, placed)
    return output_folder / "current" / "index.html"


def manifest(run_id: str, folder: Path) -> dict[str, Any]:
    """Every file of a folder with its SHA-256 and size; volatile files are named, not hashed."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    files = {
        name: {"sha256": _sha256(path), "bytes": path.stat().st_size}
        for name, path in names.items()
        if name not in VOLATILE
    }
    return {"run_id": run_id, "files": files, "volatile": [name for name in VOLATILE if name in names]}


def verify(folder: Path) -> None:
    """Compare a published folder with its manifest. Raises VerificationFailed naming every file that differs."""
    try:
        stated = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise VerificationFailed(Problem(str(folder / MANIFEST), "missing or unreadable", "the manifest")) from None
    found = manifest(str(stated.get("run_id", "")), folder)["files"]
    wrong = [
        name for name in sorted(stated["files"].keys() | found.keys()) if stated["files"].get(name) != found.get(name)
    ]
    if wrong:
        raise VerificationFailed(
            Problem(name, _difference(name, stated["files"], found), "the file the manifest states") for name in wrong
        )


def _difference(name: str, stated: dict[str, Any], found: dict[str, Any]) -> str:
    if name not in found:
        return "missing"
    return "changed" if name in stated else "not in the manifest"


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
    page = output_folder / "index.html"
    if not page.is_file() or page.read_text(encoding="utf-8") != REDIRECT:
        aside = output_folder / f"{STAGING}index.html"
        aside.write_text(REDIRECT, encoding="utf-8")
        os.replace(aside, page)
    _sync_folder(output_folder)


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


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
