"""Everything a fit has to say about itself, asked in one place once the search has ended.

Severity `error` means that the estimates mean nothing (the result is then not converged), `warning` that they stand
but something about them must be known, `note` that nothing is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from profiling.errors import ModelError, Problem
from profiling.modeling.climb import convergence_notes
from profiling.modeling.design import Design
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.families import Family
from profiling.modeling.grouping import GroupingFactor
from profiling.modeling.separation import separation_notes, suspicious

if TYPE_CHECKING:
    from profiling.modeling.fit_glmm import Maximum
    from profiling.modeling.newton import Optimum

FEW_LEVELS = 5
EXPLODED_SD = 10.0  # on the scale of the link: the middle half of the levels between 0.1 % and 99.9 %
COLLINEAR = 1e6  # factor by which other terms inflate a coefficient's variance
EXACT = 1e-10  # residual share of the outcome's variance that cross-products in float64 cannot tell from rounding
LOST_EIGENVALUE = 1e-9


def diagnose_glmm(
    design: Design, family: Family, maximum: Maximum, zero: np.ndarray, theta: np.ndarray
) -> tuple[list[Diagnosis], bool]:
    """Return the diagnoses of a GLMM at its maximum, and whether its estimates may be used."""
    p = design.X.shape[1]
    found: list[Diagnosis] = []
    in_doubt = not maximum.converged or maximum.lowest < LOST_EIGENVALUE
    if p and (in_doubt or suspicious(design, maximum.covariance[:p, :p])):
        found += separation_notes(design, family)
    if family.name == "binomial":
        found += _level_notes(design, theta, maximum.converged) + _success_notes(design)
    found += _few_levels(design)
    found += _collinear(design, maximum.information[:p, :p], maximum.covariance[:p, :p])
    named = any(note.severity == "error" for note in found)
    found += convergence_notes(maximum.optimum, maximum.lowest, maximum.converged or named, zero, design)
    return found, maximum.converged and not named


def diagnose_lmm(
    design: Design,
    optimum: Optimum,
    lowest: float,
    zero: np.ndarray,
    residual_share: float,
    information: np.ndarray,
    covariance: np.ndarray,
) -> tuple[list[Diagnosis], bool]:
    """Return the diagnoses of an LMM at its maximum, and whether its estimates may be used.

    `residual_share`: residual variance over the outcome's; `information` (p, p) of beta, `covariance` its inverse.
    """
    found = _few_levels(design) + _many_effects(design) + _collinear(design, information, covariance)
    converged = optimum.converged and lowest > 0 and bool(np.isfinite(optimum.value))
    exact = not residual_share > EXACT
    if exact:
        found.append(exact_fit(residual_share))
    found += convergence_notes(optimum, lowest, converged or exact, zero, design)
    return found, converged and not exact


def exact_fit(share: float) -> Diagnosis:
    """Return the error of an outcome that the model explains to within rounding."""
    return Diagnosis(
        "exact_fit",
        f"the residual variance is {max(share, 0.0):.1e} of the outcome's: float64 cannot tell it from rounding. "
        "Look for a term that repeats the outcome, or take what is known of it off the outcome first",
        "error",
    )


def repeated_note(design: Design, data: pd.DataFrame, subjects: str | None) -> list[Diagnosis]:
    """Return a warning where the column `subjects` repeats in rows that the model takes as independent."""
    if subjects is None:
        return []
    if subjects not in data.columns:
        raise ModelError(Problem("repeated", f"no column {subjects!r}", "a column of the data"))
    if any(subjects in term.grouping for term in design.formula.random):
        return []
    counts = data[subjects].value_counts()
    more = int((counts > 1).sum())
    if not more:
        return []
    return [
        Diagnosis(
            "repeated_subjects",
            f"{more} of {len(counts)} levels of {subjects} have several rows, which the model takes as independent "
            f"given its effects: standard errors may be too small. Add (1 | {subjects}), or use cluster_robust() "
            f"with clusters that hold every row of a {subjects}",
            "warning",
        )
    ]


def _level_notes(design: Design, theta: np.ndarray, converged: bool) -> list[Diagnosis]:
    """Return what is wrong with factors whose levels each have one row, or only one outcome."""
    counted = design.weights > 0
    used = slice(None) if counted.all() else counted  # a view, where every row counts
    y, trials = design.y[used], design.weights[used]
    notes = []
    for f, factor in enumerate(design.factors):
        code = factor.codes[design.order][used]
        rows = np.bincount(code, minlength=factor.size)
        single = bool((rows <= 1).all() and (trials <= 1).all())
        sd = float(np.sqrt(np.square(design.form.block(theta, f)).sum(axis=1)).max(initial=0.0))
        lost = not converged or sd > EXPLODED_SD
        if lost and not _mixed_levels(code, y, factor).any():
            text = (
                f"the outcome never varies within a level of {factor.name}: the likelihood rises towards an infinite "
                f"variance. Use a plain regression on the levels of {factor.name}, or a coarser grouping"
            )
            notes.append(Diagnosis("separated_levels", text, "error"))
        elif single:
            text = (
                f"every level of {factor.name} has one row: 0/1 outcomes say next to nothing about its variance, and "
                "coefficients depend on it. Leave the random term out, or group by something that repeats"
            )
            notes.append(Diagnosis("single_rows", text, "warning"))
    return notes


def _mixed_levels(code: np.ndarray, y: np.ndarray, factor: GroupingFactor) -> np.ndarray:
    """Return the levels that have both successes and failures (levels)."""
    with_success = np.bincount(code[y > 0], minlength=factor.size) > 0
    with_failure = np.bincount(code[y < 1], minlength=factor.size) > 0
    return np.asarray(with_success & with_failure)


def _success_notes(design: Design) -> list[Diagnosis]:
    successes = design.y * design.weights
    gap = np.rint(successes)
    gap -= successes
    np.abs(gap, out=gap)
    away = int((gap > 1e-6 * np.maximum(successes, 1.0)).sum()) if (gap > 1e-6).any() else 0
    if not away:
        return []
    text = (
        f"{away} rows have successes (proportion times trials) that are no whole numbers. Give the trials as "
        "`weights`, or write cbind(successes, failures)"
    )
    return [Diagnosis("fractional_successes", text, "warning")]


def _few_levels(design: Design) -> list[Diagnosis]:
    return [
        Diagnosis(
            "few_levels",
            f"{factor.name} has {factor.size} levels: its variance is hardly known. A fixed effect may serve better",
        )
        for factor in design.factors
        if factor.size < FEW_LEVELS
    ]


def _many_effects(design: Design) -> list[Diagnosis]:
    rows = int((design.weights > 0).sum())
    return [
        Diagnosis(
            "many_effects",
            f"{factor.name} has {factor.size * len(factor.terms)} random effects for {rows} rows: they and the "
            "residual variance can hardly be told apart. Leave random terms out",
            "warning",
        )
        for factor in design.factors
        if factor.size * len(factor.terms) >= rows
    ]


def _collinear(design: Design, information: np.ndarray, covariance: np.ndarray) -> list[Diagnosis]:
    """Warn of terms whose variance is inflated beyond `COLLINEAR` by the others (p, p)."""
    inflation = np.diag(information) * np.diag(covariance)
    names = [
        str(term) for j, term in enumerate(design.terms) if j != design.scaling.intercept and inflation[j] > COLLINEAR
    ]
    if not names:
        return []
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    text = f"{shown} say nearly the same: their coefficients cannot be told apart. Centre them or leave one out"
    return [Diagnosis("collinear", text, "warning")]
