"""Visits in patients in physicians in clinics: a binary outcome with effects of all three, strictly nested."""

from __future__ import annotations

import numpy as np
import pandas as pd

FORMULA = "y ~ x0 + x1 + x2 + (1 | clinic) + (1 | physician) + (1 | patient)"
SD = {"clinic": 0.3, "physician": 0.4, "patient": 1.5}
BETA = np.array([0.4, -0.3, 0.5])
PATIENTS_A_PHYSICIAN = 60
PHYSICIANS_A_CLINIC = 20


def draw_visits(visits: int, seed: int) -> pd.DataFrame:
    """Draw visits to three patients in ten rows: every patient has one, the others fall at random; rows in no order."""
    random = np.random.default_rng(seed)
    patients = max(visits * 3 // 10, 100)
    physicians = max(patients // PATIENTS_A_PHYSICIAN, 10)
    clinics = max(physicians // PHYSICIANS_A_CLINIC, 4)
    physician_of = random.integers(physicians, size=patients)
    clinic_of = random.integers(clinics, size=physicians)
    patient = np.concatenate([np.arange(patients), random.integers(patients, size=visits - patients)])
    patient = random.permutation(patient)
    physician = physician_of[patient]
    clinic = clinic_of[physician]
    x = np.column_stack([random.normal(size=(visits, 2)), random.random(visits) < 0.3])
    eta = x @ BETA - 1.0
    for name, codes, size in (
        ("clinic", clinic, clinics),
        ("physician", physician, physicians),
        ("patient", patient, patients),
    ):
        eta += random.normal(0.0, SD[name], size)[codes]
    y = (random.random(visits) < 1 / (1 + np.exp(-eta))).astype(float)
    frame = pd.DataFrame(x, columns=["x0", "x1", "x2"])
    return frame.assign(y=y, clinic=clinic, physician=physician, patient=patient)
