"""How often 95 % intervals of an ICC and of a marginal coefficient hold the truth with 10, 30 and 100 clusters.

STUDY_DRAWS draws of each number of clusters (default 2,000). Written into docs/marginal.md with 100 draws or more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numba
import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from profiling import gee, lmm

pytestmark = [pytest.mark.study, pytest.mark.timeout(6 * 3600)]
DRAWS = int(os.environ.get("STUDY_DRAWS", "2000"))
WORKERS = int(os.environ.get("STUDY_WORKERS", "2"))
ROOT = Path(__file__).parents[2]
CLUSTERS = (10, 30, 100)
ICC, SIGMA, INTERCEPT, EFFECT, MEAN_SIZE = 0.1, 0.7, -0.8, 0.5, 20
COVARIANCES = ("robust", "kauermann_carroll", "fay_graubard", "mancl_derouen")
REFERENCES = ("normal", "t")
ICC_METHODS = ("delta", "profile")
Key = tuple[str, str]


def true_effect() -> float:
    """The marginal log odds ratio: logits of probabilities averaged over clusters, by quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    logits = [
        special.logit(weights @ special.expit(INTERCEPT + treated * EFFECT + SIGMA * nodes) / weights.sum())
        for treated in (0, 1)
    ]
    return float(logits[1] - logits[0])


def one_draw(clusters: int, draw: int) -> dict[Key, float]:
    """Whether each interval holds the truth (NaN where there is none)."""
    numba.set_num_threads(1)
    rng = np.random.default_rng([20240202, clusters, draw])
    # Sizes with a coefficient of variation of .5; half of the clusters treated.
    size = np.maximum(rng.gamma(4, MEAN_SIZE / 4, clusters).round(), 2).astype(int)
    g = np.repeat(np.arange(clusters), size)
    treated = (np.arange(clusters) % 2)[g].astype(float)
    data = pd.DataFrame({"g": g, "treated": treated})
    data["y"] = np.sqrt(ICC) * rng.normal(size=clusters)[g] + np.sqrt(1 - ICC) * rng.normal(size=len(g))
    data["died"] = (
        rng.random(len(g)) < special.expit(INTERCEPT + EFFECT * treated + SIGMA * rng.normal(size=clusters)[g])
    ).astype(float)
    found: dict[Key, float] = {}
    fit = lmm("y ~ treated + (1 | g)", data)
    for method in ICC_METHODS:
        row = fit.icc(intervals=method).iloc[0]
        held = float(row["icc_lower"] <= ICC <= row["icc_upper"])
        found["icc", method] = held if np.isfinite(row["icc_upper"]) else np.nan
    truth = true_effect()
    for name in COVARIANCES:
        marginal = gee("died ~ treated", data, "g", covariance=name)
        off = abs(marginal.fixed_effects["treated"] - truth) / marginal.standard_errors["treated"]
        found[name, "normal"] = float(off <= stats.norm.ppf(0.975))
        found[name, "t"] = float(off <= stats.t.ppf(0.975, clusters - 2))
    return found


@pytest.fixture(scope="module")
def collected() -> Iterator[dict[int, pd.DataFrame]]:
    found: dict[int, pd.DataFrame] = {}
    yield found
    if len(found) == len(CLUSTERS):
        folder = ROOT / ("docs" if DRAWS >= 100 else "build")
        folder.mkdir(exist_ok=True)
        (folder / "marginal.md").write_text(report(found), encoding="utf-8")


@pytest.mark.parametrize("clusters", CLUSTERS)
def test_corrections_mend_what_the_plain_sandwich_misses(clusters: int, collected: dict[int, pd.DataFrame]) -> None:
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        rows = list(pool.map(one_draw, [clusters] * DRAWS, range(DRAWS), chunksize=max(DRAWS // 50, 1)))
    table = pd.DataFrame(rows)
    collected[clusters] = table
    print(clusters, table.mean().round(4).to_dict())
    plain, plain_error = coverage(table, ("robust", "normal"))
    mended, mended_error = coverage(table, ("mancl_derouen", "t"))
    # Three Monte Carlo errors are the study's own uncertainty, not a wider target.
    assert mended > 0.93 - 3 * mended_error
    assert coverage(table, ("kauermann_carroll", "t"))[0] > 0.92 - 3 * mended_error
    profile, profile_error = coverage(table, ("icc", "profile"))
    assert profile > (0.90 if clusters == 10 else 0.93) - 3 * profile_error
    if clusters == 10:
        assert plain < 0.92 + 3 * plain_error
        assert mended > plain
    if clusters == 100:
        assert plain > 0.93 - 3 * plain_error


def coverage(table: pd.DataFrame, key: Key) -> tuple[float, float]:
    """Share of the intervals there are that hold the truth, and its Monte Carlo error."""
    held = table[key].dropna().to_numpy()
    share = float(held.mean())
    # Of all or none the error is not zero: one more draw could have differed.
    inside = min(max(share, 1 / (len(held) + 1)), 1 - 1 / (len(held) + 1))
    return share, float(np.sqrt(inside * (1 - inside) / len(held)))


def report(found: dict[int, pd.DataFrame]) -> str:
    def line(label: str, key: Key) -> str:
        cells = ["{:.3f} ± {:.3f}".format(*coverage(table, key)) for table in found.values()]
        return f"| {label} | {' | '.join(cells)} |"

    def head(label: str) -> list[str]:
        return ["", f"| {label} | {' | '.join(f'{clusters} clusters' for clusters in found)} |", "|---|" + "---|" * 3]

    names = {"robust": "plain sandwich", "kauermann_carroll": "Kauermann & Carroll", "fay_graubard": "Fay & Graubard"}
    names["mancl_derouen"] = "Mancl & DeRouen"
    lines = [
        "# Few clusters: which intervals hold the truth?",
        "",
        f"Written by `STUDY_DRAWS={DRAWS} make study` (tests/study/test_marginal_coverage.py). Clusters of {MEAN_SIZE}",
        "cases on average (coefficient of variation .5), half of them treated. Share of the 95 % intervals that hold",
        "the truth, with its Monte Carlo error.",
        "",
        "## The effect of a treatment of whole clusters, by estimating equations",
        "",
        f"Logistic, exchangeable; the true marginal log odds ratio is {true_effect():.4f}. Each covariance with normal",
        "limits and with those of t on clusters less coefficients.",
        *head("covariance"),
    ]
    lines += [
        line(f"{names[name]}, {reference}", (name, reference)) for reference in REFERENCES for name in COVARIANCES
    ]
    lines += ["", "## An intraclass correlation", "", f"Linear mixed model, true ICC {ICC}.", *head("interval")]
    lines += [line(method, ("icc", method)) for method in ICC_METHODS]
    missing = [f"{table['icc', 'delta'].isna().mean():.3f}" for table in found.values()]
    lines.append(f"| share without a delta interval (variance estimated as 0) | {' | '.join(missing)} |")
    return "\n".join(lines) + "\n"
