"""Separation: a direction of the coefficients along which the likelihood rises for ever (Albert & Anderson 1984).

A direction d is one if no row's likelihood falls along it and some row's rises: x'd >= 0 in rows that are all events,
x'd <= 0 in rows without any, x'd = 0 in rows with both (counts: x'd <= 0 where the count is 0, x'd = 0 elsewhere).
Random effects do not help: for every value of them the likelihood rises too. Whether d exists is a linear programme
(Konis 2007): maximise sum s x'd under these constraints and |d| <= 1. It is solved here on few rows, to which
the rows that its solution violates are added until there are none: exact either way, whatever n.

A fit looks suspicious where information ran out: along d it is the sum of means that have gone to zero, while a
direction that the data hold in place keeps that of about one event.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from profiling.modeling.columns import largest, to_dense
from profiling.modeling.design import Design
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.families import Family

SUSPICIOUS_ERROR = 30.0  # standard error of what a term does to its most extreme row, on the scale of the link
TOLERANCE = 1e-7  # of x'd, where the largest |x'd| is about one
FIRST_ROWS, MORE_ROWS, ROUNDS = 400, 400, 60
MOST_REASONS = 5  # terms (or sets of terms) that are named
FEW_TERMS = 6
ADVICE = "There is no finite estimate. Leave the term out, join the level with another, or leave its rows out"


@dataclass(frozen=True)
class _Direction:
    """A direction of recession (p) and the margin s x'd >= 0 of the rows that take part."""

    d: np.ndarray
    margin: np.ndarray


def suspicious(design: Design, covariance: np.ndarray) -> bool:
    """Return whether a fit with this covariance of the scaled coefficients (p, p) ran out of information."""
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    # No entry of a column with unit variance exceeds sqrt(n): healthy fits need not look at the rows.
    if not len(errors) or (errors * np.sqrt(design.n) < SUSPICIOUS_ERROR).all():
        return False
    return bool((errors * largest(design.X) > SUSPICIOUS_ERROR).any())


def separation_notes(design: Design, family: Family) -> list[Diagnosis]:
    """Return one error for every term (or least set of terms) that separates; none where the maximum is finite."""
    used = design.weights > 0
    y, X = design.y[used], to_dense(design.X[used])
    sides = np.where(y == 0, -1, 0) if family.name != "binomial" else np.where(y == 1, 1, np.where(y == 0, -1, 0))
    reach = np.abs(X).max(axis=0)
    X = X / np.where(reach > 0, reach, 1.0)
    left = np.ones(X.shape[1], dtype=bool)
    notes: list[Diagnosis] = []
    for _ in range(MOST_REASONS):
        found = _least_set(X, sides, left, design.scaling.intercept)
        if found is None:
            break
        columns, direction = found
        left[columns] = False
        notes.append(_note(design, family, X, sides, columns, direction))
        if not columns or notes[-1].code == "separation":
            break
    return notes


def _least_set(
    X: np.ndarray, sides: np.ndarray, allowed: np.ndarray, intercept: int
) -> tuple[list[int], _Direction] | None:
    """Return the columns of a least set (without the intercept) that separates, and its direction."""
    columns = np.flatnonzero(allowed)
    found = _recession(X[:, columns], sides)
    if found is None:
        return None
    for column in columns[np.argsort(np.abs(found.d), kind="stable")]:
        if column == intercept or column not in columns:
            continue
        fewer = columns[columns != column]
        smaller = _recession(X[:, fewer], sides)
        if smaller is not None:
            found, columns = smaller, fewer[(np.abs(smaller.d) > TOLERANCE) | (fewer == intercept)]
    return [int(column) for column in columns if column != intercept], found


def _recession(X: np.ndarray, sides: np.ndarray, strictly: bool = False) -> _Direction | None:
    """Return a direction of recession for the columns X (n, p; largest entries 1), or None where there is none.

    `strictly`: one along which every row's likelihood rises; its least s x'd is maximised instead of their sum.
    """
    basis = _null_space(X[sides == 0])
    ordered = sides != 0
    if not basis.shape[1] or not ordered.any():
        return None
    B = (X[ordered] * sides[ordered, None]) @ basis
    # Strictly, a first unknown m stands for the least margin: maximise m with m - s x'd <= 0.
    least = np.ones((len(B), int(strictly)))
    aim = np.append(1.0, np.zeros(B.shape[1])) if strictly else B.mean(axis=0)
    rows = np.unique(np.concatenate([B.argmin(axis=0), np.linspace(0, len(B) - 1, FIRST_ROWS).astype(np.int64)]))
    for _ in range(ROUNDS):
        A = np.concatenate([least[rows], -B[rows]], axis=1)
        solved = optimize.linprog(-aim, A_ub=A, b_ub=np.zeros(len(rows)), bounds=(-1, 1), method="highs")
        if solved.status != 0 or solved.x is None or aim @ solved.x <= TOLERANCE / len(B):
            return None
        d = solved.x[int(strictly) :]
        margin = B @ d
        top = float(np.abs(margin).max())
        floor = float(solved.x[0]) if strictly else 0.0
        bad = np.flatnonzero(margin < floor - TOLERANCE * max(top, TOLERANCE))
        if not len(bad):
            # The sum must rise by more than what rounding lets single rows fall.
            rises = (floor if strictly else float(margin.max())) > 100 * TOLERANCE
            return _Direction(basis @ d, margin / top) if rises else None
        new = np.setdiff1d(bad[np.argsort(margin[bad], kind="stable")[:MORE_ROWS]], rows)
        if not len(new):
            return None
        rows = np.concatenate([rows, new])
    return None


def _null_space(X: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis (p, r) of the d with x'd = 0 in every row of X."""
    p = X.shape[1]
    if not len(X):
        return np.eye(p)
    values, vectors = np.linalg.eigh(X.T @ X)
    return np.asarray(vectors[:, values < 1e-12 * max(float(values[-1]), 1.0) * p])


def _note(
    design: Design, family: Family, X: np.ndarray, sides: np.ndarray, columns: list[int], direction: _Direction
) -> Diagnosis:
    """Say which term separates, where, and what to do."""
    own = [*columns, design.scaling.intercept] if design.scaling.intercept >= 0 else columns
    complete = bool((sides != 0).all()) and _recession(X[:, own], sides, strictly=True) is not None
    code = "separation" if complete else "quasi_separation"
    names = [design.terms[column] for column in columns]
    decided = np.zeros(len(sides), dtype=bool)
    decided[sides != 0] = direction.margin > 1e-6
    always = np.unique(sides[decided])
    what = f"{'the outcome' if family.name == 'binomial' else 'the count'} is always {'0' if always[0] < 0 else '1'}"
    reference = _reference(design.terms, names)
    if len(always) == 1 and reference:
        text = f"{what} in the reference level of `{reference}`"
    elif len(always) == 1 and len(names) == 1 and _two_values(X[:, columns[0]]):
        text = f"{what} in the rows that `{names[0]}` marks"
    else:
        shown = " and ".join(f"`{name}`" for name in names[:FEW_TERMS]) or "the intercept"
        shown += f" and {len(names) - FEW_TERMS} more terms" if len(names) > FEW_TERMS else ""
        together = "together separate" if len(names) > 1 else "separates"
        text = f"{shown} {together} rows with the outcome from rows without" + ("" if complete else ", but for ties")
    return Diagnosis(code, f"{text}. {ADVICE}", "error")


def _two_values(column: np.ndarray) -> bool:
    low, high = column.min(), column.max()
    return bool(((column == low) | (column == high)).all())


def _reference(terms: tuple[str, ...], names: list[str]) -> str | None:
    """Return the factor all of whose contrasts with its reference level are `names`, if there is one."""
    heads = {name.partition("[T.")[0] for name in names}
    if len(heads) != 1 or not all("[T." in name for name in names):
        return None
    head = heads.pop()
    own = [term for term in terms if term.startswith(f"{head}[T.") and ":" not in term.removeprefix(head)]
    return head if len(own) > 1 and set(own) == set(names) else None
