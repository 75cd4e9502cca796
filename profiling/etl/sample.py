"""Generated records with a known truth: 40 hospitals, 400 physicians, 30,000 admissions of 22,000 patients.

Nothing in them stands for a real person or place. `draw_records` gives the records as they would be without
fault, `draw_sample` the same with missing values and half a percent of broken rows, `write_sample` writes files.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from profiling.etl.sample_breakage import break_records
from profiling.etl.sample_names import hospital_names, physician_names
from profiling.etl.sample_truth import DEVIATIONS, coefficients_frame, linear_predictor

HOSPITALS: Final = 40
PHYSICIANS: Final = 400
PATIENTS: Final = 22_000
ADMISSIONS: Final = (PATIENTS, 5_800, 1_700, 500)
"""How many patients come for the first, second, third and fourth time."""

_START: Final = np.datetime64("2021-01-01")
_DAYS: Final = 3 * 365
_CODES: Final = {"heart_failure": "I50.9", "diabetes": "E11.9", "renal_disease": "N18.3", "copd": "J44.9"}
_PRINCIPAL: Final = ("A41.9", "I21.4", "I63.9", "J18.9", "K92.2", "S72.0", "N39.0", "I48.9")

Frames = dict[str, pd.DataFrame]
Integers = npt.NDArray[np.int64]


def draw_records(seed: int) -> Frames:
    """Records without fault, in their own types, and the truth: patients, clinics, physicians, encounters,
    diagnoses, truth/coefficients, truth/hospital_effects, truth/physician_effects.
    """
    random = np.random.default_rng(seed)
    clinics = _clinics(random)
    physicians, posts = _physicians(clinics, random)
    patients = _patients(random)
    hospital_effects = _effects("hospital", clinics["clinic_id"], random)
    physician_effects = _effects("physician", physicians["physician_id"], random)
    shift = random.normal(0, 0.25, HOSPITALS)
    encounters = _encounters(patients, posts, hospital_effects, physician_effects, shift, random)
    return {
        "patients": patients,
        "clinics": clinics.drop(columns="volume"),
        "physicians": physicians,
        "encounters": encounters,
        "diagnoses": _diagnoses(encounters, random),
        "truth/coefficients": coefficients_frame(),
        "truth/hospital_effects": hospital_effects,
        "truth/physician_effects": physician_effects,
    }


def draw_sample(seed: int) -> Frames:
    """The records of `draw_records` as text, with values missing and rows broken, and `truth/broken_rows`."""
    return break_records(draw_records(seed), np.random.default_rng([seed, 1]))


def write_sample(folder: Path, seed: int) -> list[Path]:
    """Write the sample as CSV.gz with the truth beside it as CSV; the same bytes for the same seed."""
    frames = draw_sample(seed)
    surplus = frames["truth/broken_rows"].query("rule_id.str.endswith('.row.fields')")
    written = []
    for name, frame in frames.items():
        text = frame.to_csv(index=False, lineterminator="\n")
        rows = surplus.loc[surplus["source"] == name, "source_row"]
        data = _with_surplus_field(text, set(rows)).encode()
        truth = name.startswith("truth/")
        path = folder / (f"{name}.csv" if truth else f"{name}.csv.gz")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if truth else gzip.compress(data, 6, mtime=0))
        written.append(path)
    return written


def _with_surplus_field(text: str, rows: set[int]) -> str:
    if not rows:
        return text
    lines = text.splitlines()
    return "\n".join(line + ",surplus" if row in rows else line for row, line in enumerate(lines)) + "\n"


def _labels(letter: str, count: int) -> list[str]:
    width = len(str(count))
    return [f"{letter}{number:0{width}d}" for number in range(1, count + 1)]


def _clinics(random: np.random.Generator) -> pd.DataFrame:
    names = hospital_names(HOSPITALS, random)
    # Evenly spread quantiles: every seed has some very large and some very small hospitals.
    spread = np.sort(random.normal(size=(200, HOSPITALS)), axis=1).mean(axis=0)
    university = np.array([name.endswith("University") for name in names])
    return pd.DataFrame(
        {
            "clinic_id": _labels("H", HOSPITALS),
            "name": names,
            "region": random.choice(["Central", "East", "North", "South", "West"], HOSPITALS),
            "teaching": (university | (random.random(HOSPITALS) < 0.1)).astype(int),
            "volume": random.permutation(np.exp(1.3 * spread)),
        }
    )


def _physicians(clinics: pd.DataFrame, random: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Physicians, and their posts: physician and hospital by position, with the share of admissions."""
    share = clinics["volume"].to_numpy() ** 0.7
    extra = random.choice(HOSPITALS, PHYSICIANS - 2 * HOSPITALS, p=share / share.sum())
    main = random.permutation(np.concatenate([np.repeat(np.arange(HOSPITALS), 2), extra]))
    weight = random.lognormal(0, 0.8, PHYSICIANS)
    roving = random.choice(PHYSICIANS, PHYSICIANS // 10, replace=False)
    second = (main[roving] + random.integers(1, HOSPITALS, len(roving))) % HOSPITALS
    posts = pd.DataFrame(
        {
            "physician": np.concatenate([np.arange(PHYSICIANS), roving]),
            "hospital": np.concatenate([main, second]),
            "weight": np.concatenate([weight, 0.7 * weight[roving]]),
        }
    )
    within = posts["weight"] / posts.groupby("hospital")["weight"].transform("sum")
    posts["share"] = within * clinics["volume"].to_numpy()[posts["hospital"]]
    physicians = pd.DataFrame(
        {
            "physician_id": _labels("D", PHYSICIANS),
            "name": physician_names(PHYSICIANS, random),
            "specialty": random.choice(["cardiology", "general medicine", "geriatrics", "surgery"], PHYSICIANS),
            "clinic_id": clinics["clinic_id"].to_numpy()[main],
        }
    )
    return physicians, posts


def _patients(random: np.random.Generator) -> pd.DataFrame:
    age = np.clip(random.normal(68, 15, PATIENTS), 19, 100)
    born = _START - (age * 365.25).astype(int)
    return pd.DataFrame(
        {
            "patient_id": _labels("N", PATIENTS),
            "sex": random.choice(["F", "M"], PATIENTS, p=[0.48, 0.52]),
            "birth_date": born,
            "payer": random.choice(["public", "private", "self"], PATIENTS, p=[0.7, 0.25, 0.05]),
            "deprivation": random.integers(1, 6, PATIENTS),
        }
    )


def _effects(level: str, labels: pd.Series, random: np.random.Generator) -> pd.DataFrame:
    drawn = {measure: random.normal(0, sd[level], len(labels)) for measure, sd in DEVIATIONS.items()}
    return pd.DataFrame({labels.name: labels} | drawn)


def _encounters(
    patients: pd.DataFrame,
    posts: pd.DataFrame,
    hospital_effects: pd.DataFrame,
    physician_effects: pd.DataFrame,
    shift: npt.NDArray[np.float64],
    random: np.random.Generator,
) -> pd.DataFrame:
    """All admissions, in rounds: whoever has died does not come again."""
    rounds: list[pd.DataFrame] = []
    for count in ADMISSIONS:
        cases = _first_visits(posts, random) if not rounds else _next_visits(rounds[-1], posts, count, random)
        _add_case_mix(cases, patients, shift, random)
        _add_outcomes(cases, hospital_effects, physician_effects, random)
        rounds.append(cases)
    cases = pd.concat(rounds).sort_values(["admitted", "patient"], kind="stable", ignore_index=True)
    return pd.DataFrame(
        {
            "encounter_id": _labels("E", len(cases)),
            "patient_id": patients["patient_id"].to_numpy()[cases["patient"]],
            "clinic_id": hospital_effects["clinic_id"].to_numpy()[cases["hospital"]],
            "physician_id": physician_effects["physician_id"].to_numpy()[cases["physician"]],
            **{name: cases[name].to_numpy() for name in cases.columns[3:] if name != "sex"},
        }
    )


def _first_visits(posts: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    cases = pd.DataFrame({"patient": np.arange(PATIENTS)})
    _place(cases, posts, random)
    # Every post has at least one admission.
    cases.loc[: len(posts) - 1, ["physician", "hospital"]] = posts[["physician", "hospital"]].to_numpy()
    return cases.assign(admitted=_START + random.integers(0, _DAYS, PATIENTS))


def _next_visits(before: pd.DataFrame, posts: pd.DataFrame, count: int, random: np.random.Generator) -> pd.DataFrame:
    """Visits of survivors a month or more after their discharge; one in five goes to another hospital."""
    free = before["discharged"].to_numpy().astype("datetime64[D]") + 31
    left = (_START + _DAYS - free).astype(int)
    able = np.flatnonzero((before["died_30d"].to_numpy() == 0) & (left > 0))
    chosen = np.sort(random.choice(able, count, replace=False))
    cases = before.iloc[chosen][["patient", "physician", "hospital"]].reset_index(drop=True)
    moved = pd.DataFrame({"patient": cases["patient"]})
    _place(moved, posts, random)
    moves = random.random(count) < 0.2
    cases.loc[moves, ["physician", "hospital"]] = moved.loc[moves, ["physician", "hospital"]]
    return cases.assign(admitted=free[chosen] + (random.random(count) * left[chosen]).astype(int))


def _place(cases: pd.DataFrame, posts: pd.DataFrame, random: np.random.Generator) -> None:
    chance = posts["share"].to_numpy() / posts["share"].sum()
    post = random.choice(len(posts), len(cases), p=chance)
    cases["physician"] = posts["physician"].to_numpy()[post]
    cases["hospital"] = posts["hospital"].to_numpy()[post]


def _add_case_mix(
    cases: pd.DataFrame, patients: pd.DataFrame, shift: npt.NDArray[np.float64], random: np.random.Generator
) -> None:
    n = len(cases)
    born = patients["birth_date"].to_numpy()[cases["patient"]]
    age = ((cases["admitted"].to_numpy() - born).astype("timedelta64[D]").astype(int) / 365.25).astype(int)
    kind = random.choice(["elective", "emergency", "transfer"], n, p=[0.28, 0.62, 0.10])
    severity = random.normal(0, 1, n) + 0.5 * (kind == "emergency") + shift[cases["hospital"]]
    older = (age - 68) / 15
    cases["sex"] = patients["sex"].to_numpy()[cases["patient"]]
    cases["discharged"] = cases["admitted"]
    cases["age"] = age
    cases["admission_type"] = kind
    cases["severity"] = severity.round(2)
    for name, base in (("heart_failure", -1.6), ("diabetes", -1.2), ("renal_disease", -1.9), ("copd", -1.7)):
        chance = 1 / (1 + np.exp(-(base + 0.4 * older + 0.2 * severity)))
        cases[name] = (random.random(n) < chance).astype(int)
    cases["systolic_bp"] = np.clip(random.normal(138, 22, n) - 8 * severity, 55, 240).astype(int)


def _add_outcomes(
    cases: pd.DataFrame,
    hospital_effects: pd.DataFrame,
    physician_effects: pd.DataFrame,
    random: np.random.Generator,
) -> None:
    def predictor(measure: str) -> npt.NDArray[np.float64]:
        hospital = hospital_effects[measure].to_numpy()[cases["hospital"]]
        physician = physician_effects[measure].to_numpy()[cases["physician"]]
        return np.asarray(linear_predictor(measure, cases) + hospital + physician, dtype=np.float64)

    died = random.random(len(cases)) < 1 / (1 + np.exp(-predictor("mortality_30d")))
    residual = random.normal(0, DEVIATIONS["length_of_stay"]["residual"], len(cases))
    stay = np.maximum(np.exp(predictor("length_of_stay") + residual).round(1), 0.1)
    cases["died_30d"] = died.astype(int)
    cases["length_of_stay"] = stay
    cases["discharged"] = cases["admitted"].to_numpy() + stay.round().astype(int).astype("timedelta64[D]")


def _diagnoses(encounters: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """One principal diagnosis an admission, then one for each condition it has."""
    ids = encounters["encounter_id"]
    parts = [pd.DataFrame({"encounter_id": ids, "code": random.choice(_PRINCIPAL, len(ids))})]
    parts += [pd.DataFrame({"encounter_id": ids[encounters[name] == 1], "code": code}) for name, code in _CODES.items()]
    listed = pd.concat(parts).sort_values("encounter_id", kind="stable", ignore_index=True)
    position = listed.groupby("encounter_id").cumcount() + 1
    return listed.assign(system="ICD-10-CM", position=position)
