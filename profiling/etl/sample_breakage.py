"""Faults put into the generated records on purpose, with a list of which row breaks which rule."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

Frames = dict[str, pd.DataFrame]
Rows = npt.NDArray[np.int64]

SHARE: Final = 0.005
MISSING: Final = ("severity", "systolic_bp")

_CELLS: Final = (
    ("encounters.admitted.type", "admitted", "2022-02-30"),
    ("encounters.admitted.temporal", "admitted", "1899-05-01"),
    ("encounters.discharged.temporal", "discharged", "2020-06-30"),
    ("encounters.discharged.type", "discharged", "soon"),
    ("encounters.age.range", "age", "212"),
    ("encounters.clinic_id.referential", "clinic_id", "H99"),
    ("encounters.physician_id.referential", "physician_id", "D999"),
    ("encounters.encounter_id.required", "encounter_id", ""),
    ("encounters.died_30d.required", "died_30d", ""),
    ("encounters.died_30d.allowed", "died_30d", "2"),
    ("encounters.admission_type.allowed", "admission_type", "walk-in"),
    ("encounters.systolic_bp.type", "systolic_bp", "high"),
    ("encounters.length_of_stay.range", "length_of_stay", "-4.0"),
)
"""Rule, column and what is written there. Two more are not of one cell: a repeated id, a surplus field."""


def break_records(records: Frames, random: np.random.Generator) -> Frames:
    """The records as text with faults; adds `truth/broken_rows`: source, source_row, rule_id, column_name.

    The list is complete: it also holds rows that break a rule because the row they refer to was broken.
    """
    frames = {name: _as_text(frame) for name, frame in records.items()}
    _lose_values(frames["encounters"], records["encounters"]["clinic_id"], random)
    broken = [*_break_patients(frames["patients"]), *_break_diagnoses(frames["diagnoses"])]
    accepted = _accepted(frames["patients"]["patient_id"], broken, "patients")
    sound = np.flatnonzero(frames["encounters"]["patient_id"].isin(accepted).to_numpy())
    orphans = _not_in(frames["encounters"]["patient_id"], accepted)
    broken.append(_entry("encounters.patient_id.referential", "patient_id", orphans))
    broken += _break_encounters(frames["encounters"], sound, random)
    kept = _accepted(frames["encounters"]["encounter_id"], broken, "encounters")
    lost = _not_in(frames["diagnoses"]["encounter_id"], kept)
    broken.append(_entry("diagnoses.encounter_id.referential", "encounter_id", lost))
    listed = pd.concat(broken).sort_values(["source", "source_row", "rule_id"], ignore_index=True)
    return frames | {"truth/broken_rows": listed}


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    columns = {}
    for name in frame.columns:
        column = frame[name]
        days = pd.api.types.is_datetime64_any_dtype(column.dtype)
        columns[name] = column.dt.strftime("%Y-%m-%d") if days else column.astype(str)
    return pd.DataFrame(columns).astype(object)


def _lose_values(encounters: pd.DataFrame, clinics: pd.Series, random: np.random.Generator) -> None:
    """About one value in a hundred is missing; in one hospital of middle size one in twelve."""
    sizes = clinics.value_counts().sort_index().sort_values(kind="stable")
    careless = (clinics == sizes.index[(3 * len(sizes)) // 4]).to_numpy()
    for name in MISSING:
        gone = random.random(len(encounters)) < np.where(careless, 0.08, 0.01)
        encounters.loc[gone, name] = ""


def _entry(rule_id: str, column: str | None, positions: Rows) -> pd.DataFrame:
    source = rule_id.split(".")[0]
    rows = np.asarray(positions) + 1
    return pd.DataFrame({"source": source, "source_row": rows, "rule_id": rule_id, "column_name": column})


def _break_patients(patients: pd.DataFrame) -> list[pd.DataFrame]:
    # Few and at fixed places: each takes the admissions of its patient with it.
    sex, born, repeated = np.array([1000, 2000, 3000]), np.array([4000, 5000]), np.array([6000])
    patients.loc[sex, "sex"] = "unknown"
    patients.loc[born, "birth_date"] = "31.12.1950"
    patients.loc[repeated, "patient_id"] = patients.loc[repeated - 1, "patient_id"].to_numpy()
    return [
        _entry("patients.sex.allowed", "sex", sex),
        _entry("patients.birth_date.type", "birth_date", born),
        _entry("patients.patient_id.unique", "patient_id", repeated),
    ]


def _break_diagnoses(diagnoses: pd.DataFrame) -> list[pd.DataFrame]:
    uncoded = np.arange(500, 10_500, 500)
    diagnoses.loc[uncoded, "code"] = ""
    return [_entry("diagnoses.code.required", "code", uncoded)]


def _break_encounters(encounters: pd.DataFrame, sound: Rows, random: np.random.Generator) -> list[pd.DataFrame]:
    """Half a percent of the rows, a like share for each fault, no two beside each other."""
    candidates = sound[(sound % 2 == 1) & np.isin(sound - 1, sound)]
    count = round(SHARE * len(encounters))
    chosen = np.array_split(random.permutation(random.choice(candidates, count, replace=False)), len(_CELLS) + 2)
    entries = []
    for (rule_id, column, text), rows in zip(_CELLS, chosen, strict=False):
        encounters.loc[rows, column] = text
        entries.append(_entry(rule_id, column, rows))
    repeated, surplus = chosen[-2:]
    encounters.loc[repeated, "encounter_id"] = encounters.loc[repeated - 1, "encounter_id"].to_numpy()
    entries.append(_entry("encounters.encounter_id.unique", "encounter_id", repeated))
    return [*entries, _entry("encounters.row.fields", None, surplus)]


def _accepted(ids: pd.Series, broken: list[pd.DataFrame], source: str) -> pd.Series:
    bad = {row for entry in broken for row in entry.loc[entry["source"] == source, "source_row"]}
    return ids[~(ids.index + 1).isin(sorted(bad))]


def _not_in(ids: pd.Series, known: pd.Series) -> Rows:
    return np.flatnonzero(~ids.isin(known).to_numpy()).astype(np.int64)
