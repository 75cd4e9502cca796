"""The manifest of a published folder: every file with its SHA-256 and size, and what differs from it later."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from profiling.errors import Problem, VerificationFailed
from profiling.reporting.site_files import MANIFEST, TIMINGS

VOLATILE = (TIMINGS,)
CHUNK = 1 << 20


def manifest(run_id: str, folder: Path) -> dict[str, Any]:
    """Every file of a folder with its SHA-256 and size; volatile files are named, not hashed."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    files = {
        name: {"sha256": file_sha256(path), "bytes": path.stat().st_size}
        for name, path in names.items()
        if name not in VOLATILE
    }
    return {"run_id": run_id, "files": files, "volatile": [name for name in VOLATILE if name in names]}


def verify(folder: Path, manifest_sha256: str | None = None) -> int:
    """Compare a published folder with its manifest; the number of files compared, those called volatile left out.

    `manifest_sha256`: what the registry of runs says of the manifest itself, None where it says nothing.
    Raises VerificationFailed naming every file that was changed, is missing or was added.
    """
    path = folder / MANIFEST
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        files, volatile = dict(stated["files"]), list(stated["volatile"])
    except (OSError, ValueError, KeyError, TypeError):
        raise VerificationFailed(Problem(str(path), "missing or unreadable", "the manifest")) from None
    if manifest_sha256 is not None and file_sha256(path) != manifest_sha256:
        raise VerificationFailed(Problem(str(path), "changed", "the manifest that the registry of runs knows"))
    found = manifest(str(stated.get("run_id", "")), folder)
    differing = [name for name in sorted(files.keys() | found["files"].keys()) if not _same(name, files, found)]
    missing = [name for name in volatile if name not in found["volatile"]]
    if differing or missing:
        problems = [(name, _difference(name, files, found["files"])) for name in differing]
        problems += [(name, "missing") for name in missing]
        raise VerificationFailed(
            Problem(str(folder / name), what, "the file the manifest states") for name, what in problems
        )
    return len(files)


def _same(name: str, files: dict[str, Any], found: dict[str, Any]) -> bool:
    return bool(files.get(name) == found["files"].get(name))


def _difference(name: str, stated: dict[str, Any], found: dict[str, Any]) -> str:
    if name not in found:
        return "missing"
    return "changed" if name in stated else "added: not in the manifest"


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in small letters."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
