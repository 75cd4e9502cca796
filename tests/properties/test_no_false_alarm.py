"""Healthy data raise no alarm, whatever their size, family, structure, rarity of events or units of covariates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special

from profiling import glmm, lmm

SIZES = [300, 600, 1_500, 4_000, 12_000, 50_000]
STRUCTURES = ["(1 | g)", "(1 | g/h)", "(1 | g) + (1 | c)", "(1 + x | g)", "(1 | g) + (0 + x | c)"]
FAMILIES = ["logit", "probit", "cloglog", "log", "nb", "identity"]
FIXED = "x + age + C(kind) + flag"


def healthy(seed: int, n: int, family: str) -> pd.DataFrame:
    """Clusters of 20 to 100 rows, effects of ordinary size, a flag on one row in ten, age in years."""
    rng = np.random.default_rng(seed)
    clusters = int(np.clip(n // 60, 12, 600))
    data = pd.DataFrame({"g": rng.integers(0, clusters, n), "h": rng.integers(0, 2, n), "c": rng.integers(0, 15, n)})
    data["x"], data["age"] = rng.normal(size=n), rng.normal(65, 12, n).round()
    data["kind"], data["flag"] = rng.choice(["a", "b", "c", "d"], n, p=[0.4, 0.3, 0.2, 0.1]), rng.random(n) < 0.1
    b, slope, c = rng.normal(0, 0.5, clusters), rng.normal(0, 0.3, clusters), rng.normal(0, 0.4, 15)
    inner = rng.normal(0, 0.4, (clusters, 2))
    base = -1.0 if n < 2000 else rng.uniform(-3.5, -0.5)  # rare events only where there are rows enough
    eta = base + 0.4 * data["x"] + 0.01 * (data["age"] - 65) + 0.5 * data["flag"] + 0.3 * (data["kind"] == "b")
    eta += b[data["g"]] + slope[data["g"]] * data["x"] + c[data["c"]] + inner[data["g"], data["h"]]
    draw = {
        "logit": lambda: rng.random(n) < special.expit(eta),
        "probit": lambda: rng.random(n) < special.ndtr(eta / 1.7),
        "cloglog": lambda: rng.random(n) < -np.expm1(-np.exp(eta)),
        "log": lambda: rng.poisson(np.exp(eta)),
        "nb": lambda: rng.negative_binomial(2.0, 2.0 / (2.0 + np.exp(eta))),
        "identity": lambda: 120 + 15 * (eta + rng.normal(size=n)),
    }
    return data.assign(y=np.asarray(draw[family](), dtype=float))


# Thirty data sets: every size with every structure, families in turn.
CASES = [
    (size, structure, FAMILIES[(i + j) % 6]) for i, size in enumerate(SIZES) for j, structure in enumerate(STRUCTURES)
]


@pytest.mark.parametrize(("n", "structure", "family"), CASES)
def test_healthy_data_raise_no_alarm(n: int, structure: str, family: str) -> None:
    seed = n + STRUCTURES.index(structure)
    data = healthy(seed, n, family)
    formula = f"y ~ {FIXED} + {structure}"
    if family == "identity":
        fit = lmm(formula, data)
    elif family in ("log", "nb"):
        fit = glmm(formula, data, family="poisson" if family == "log" else "negative_binomial")
    else:
        fit = glmm(formula, data, link=family)
    assert [f"{note.severity}: {note.message}" for note in fit.diagnostics if note.severity != "note"] == []
    assert fit.converged
