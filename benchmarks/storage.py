"""Arrays handed to other processes and languages as plain files of numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from benchmarks.admissions import Admissions


def write_admissions(admissions: Admissions, folder: Path) -> None:
    """Write y.f64, x.f64 (column after column), hosp.i32, phys.i32 and shape.json."""
    folder.mkdir(parents=True, exist_ok=True)
    admissions.y.astype("<f8").tofile(folder / "y.f64")
    with (folder / "x.f64").open("wb") as file:
        for column in range(admissions.x.shape[1]):
            np.ascontiguousarray(admissions.x[:, column], dtype="<f8").tofile(file)
    admissions.hospital.astype("<i4").tofile(folder / "hosp.i32")
    admissions.physician.astype("<i4").tofile(folder / "phys.i32")
    rows, covariates = admissions.x.shape
    (folder / "shape.json").write_text(json.dumps({"rows": rows, "covariates": covariates}), encoding="utf-8")


def read_admissions(folder: Path) -> Admissions:
    """Read what `write_admissions` wrote."""
    shape = json.loads((folder / "shape.json").read_text(encoding="utf-8"))
    x = np.fromfile(folder / "x.f64", "<f8").reshape((shape["rows"], shape["covariates"]), order="F")
    codes = (np.fromfile(folder / name, "<i4").astype(np.int64) for name in ("hosp.i32", "phys.i32"))
    return Admissions(np.fromfile(folder / "y.f64", "<f8"), x, *codes)
