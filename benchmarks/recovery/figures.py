"""From the draws of a design to figures, each with the bounds it has to keep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.recovery.designs import Study


@dataclass(frozen=True)
class Figure:
    """One figure of one design and the bounds it has to keep; `detail` says what stands behind it."""

    kind: str
    parameter: str
    value: float
    lower: float
    upper: float
    detail: str

    @property
    def kept(self) -> bool:
        """Return whether the figure lies within its bounds (a missing one does not)."""
        return self.lower <= self.value <= self.upper


def figures(study: Study, draws: pd.DataFrame, stated: dict[str, float]) -> list[Figure]:
    """Return convergence, coverage and bias of a design from its draws (see `judge`) and the stated biases."""
    arrived = float(draws["fit/converged"].mean())
    undefined = int(draws["fit/undefined"].sum())
    found = [Figure("converged", "all", arrived, 1.0, 1.0, f"{undefined} profiles without an answer")]
    found += [_coverage(column, draws) for column in map(str, draws.columns) if column.startswith("covered/")]
    found += [_beta_bias(term, truth, draws) for term, truth in study.beta.items()]
    found += [
        _variance_bias(name, study.truth[name], draws, stated.get(name, 0.0), study.family == "gaussian")
        for name in study.truth
        if name.startswith("sd(")
    ]
    return found


def _coverage(column: str, draws: pd.DataFrame) -> Figure:
    """Return the share of draws (for effects: of levels and draws) whose 95 % interval holds the truth."""
    half = 3 * float(np.sqrt(0.0475 / len(draws)))
    name = column.removeprefix("covered/")
    detail = "Wald"
    if f"first_order/{name}" in draws:
        first_order = float(draws[f"first_order/{name}"].fillna(0).mean())
        kinds = ("levels and draws", "mode ± 1.96 sd_full") if name.startswith("b(") else ("adjusted profile", "plain")
        detail = f"{kinds[0]}; {kinds[1]} {first_order:.4f}"
    return Figure("coverage", name, float(draws[column].fillna(0).mean()), 0.95 - half, 0.95 + half, detail)


def _beta_bias(term: str, truth: float, draws: pd.DataFrame) -> Figure:
    """Return a coefficient's bias; bound: three Monte-Carlo errors or a tenth of its sd, whichever is more."""
    values = draws[f"estimate/{term}"]
    bound = _allowance(values)
    ratio = float(draws[f"error/{term}"].mean() / values.std())
    detail = f"sd {values.std():.4f}; mean standard error over sd {ratio:.3f}"
    return Figure("bias", term, float(values.mean() - truth), -bound, bound, detail)


def _variance_bias(name: str, truth: float, draws: pd.DataFrame, stated: float, reml: bool) -> Figure:
    """Return a variance's bias beyond the stated one (REML: none), with the bound of a coefficient's."""
    values = draws[f"estimate/{name}"]
    variance = values**2
    bound = _allowance(variance)
    bias = float(variance.mean() - truth**2)
    by = "REML" if reml else f"bias {bias:.5f}, stated O(1/J) {stated:.5f}"
    detail = f"{by}; mean sd {values.mean():.4f}, truth {truth:g}; {int((values == 0).sum())} at zero"
    return Figure("bias of variance", name, bias - stated, -bound, bound, detail)


def _allowance(values: pd.Series) -> float:
    spread = float(values.std())
    return max(3 * spread / float(np.sqrt(values.notna().sum())), 0.1 * spread)


def small_cluster_figures(laplace: pd.DataFrame, quadrature: pd.DataFrame, study: Study) -> list[Figure]:
    """Return the sd of patients by Laplace (must be far too small) and by quadrature (must be right), same draws."""
    (name,) = [name for name in study.truth if name.startswith("sd(")]
    truth = study.truth[name]
    by_laplace, by_quadrature = laplace[f"estimate/{name}"].dropna(), quadrature[f"estimate/{name}"].dropna()
    bound = _allowance(by_quadrature)
    covered, covered_laplace = quadrature[f"covered/{name}"], laplace[f"covered/{name}"]
    half = 3 * float(np.sqrt(0.0475 / len(quadrature)))
    return [
        Figure("sd by Laplace", name, float(by_laplace.mean()), 0.0, 0.8 * truth, f"truth {truth:g}"),
        Figure("bias by quadrature", name, float(by_quadrature.mean()) - truth, -bound, bound, f"truth {truth:g}"),
        Figure("coverage by Laplace", name, float(covered_laplace.fillna(0).mean()), 0.0, 0.5, "profile likelihood"),
        Figure(
            "coverage by quadrature",
            name,
            float(covered.fillna(0).mean()),
            0.95 - half,
            0.95 + half,
            "profile likelihood",
        ),
    ]


def difference_of_laplace(laplace: pd.DataFrame, quadrature: pd.DataFrame, study: Study) -> Figure:
    """Return how far the variance by Laplace lies from that by quadrature, same draws: below, by under a tenth."""
    (name,) = [name for name in study.truth if name.startswith("sd(")]
    apart = laplace[f"estimate/{name}"] ** 2 - quadrature[f"estimate/{name}"] ** 2
    error = float(apart.std() / np.sqrt(len(apart)))
    detail = f"same draws, 20 rows to a {name.split(' | ')[1].strip(')')}; Monte-Carlo error {error:.4f}"
    lowest = -(study.truth[name] ** 2) / 10
    return Figure("Laplace less quadrature", f"variance, {name}", float(apart.mean()), lowest, 0.0, detail)
