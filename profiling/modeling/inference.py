"""Covariances of estimates: differences of the exact gradient, and what they mean for the random effects.

The information matrix is the negative Jacobian of the exact gradient, by central differences with a step of
`STEP` standard errors (the truncation error is of order STEP^2 / n, the rounding error of order 1e-9 / STEP). It is
never taken from differences of the log-likelihood's value.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

STEP = 0.02
FORWARD_STEP = 1e-3


def difference_information(
    gradient: Callable[[np.ndarray], np.ndarray], point: np.ndarray, coordinates: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """Return the rows of -d gradient / d point for the `coordinates` (len(coordinates), len(point)).

    `scale` holds one approximate standard error a coordinate of the point.
    """
    rows = np.empty((len(coordinates), len(point)))
    for row, coordinate in enumerate(coordinates):
        step = np.zeros(len(point))
        step[coordinate] = STEP * scale[coordinate]
        rows[row] = (gradient(point - step) - gradient(point + step)) / (2 * step[coordinate])
    return rows


def forward_information(
    gradient: Callable[[np.ndarray], np.ndarray],
    point: np.ndarray,
    coordinates: np.ndarray,
    scale: np.ndarray,
    step_size: float = FORWARD_STEP,
) -> np.ndarray:
    """Return the same by one-sided differences of `step_size` standard errors, at half the price.

    The truncation error is of the order of the step. The rounding error is that of the gradient over the step: 1e-9
    where modes are searched for, near 1e-3 by the default step; a gradient in closed form bears a smaller one.
    """
    rows = np.empty((len(coordinates), len(point)))
    here = gradient(point)
    for row, coordinate in enumerate(coordinates):
        step = np.zeros(len(point))
        step[coordinate] = step_size * scale[coordinate]
        rows[row] = (here - gradient(point + step)) / step[coordinate]
    return rows


def combine_information(structured: np.ndarray, rows: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """Return the information whose rows at `coordinates` were differenced and whose rest is the structured block."""
    information = structured.copy()
    information[coordinates] = rows
    information[:, coordinates] = rows.T
    square = np.ix_(coordinates, coordinates)
    information[square] = (information[square] + information[square].T) / 2
    return information


def invert_information(information: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the covariance (zero in fixed coordinates) and the lowest eigenvalue of the scaled information."""
    own = np.flatnonzero(free)
    block = information[np.ix_(own, own)]
    scale = np.sqrt(np.maximum(np.abs(np.diag(block)), 1e-300))
    values, vectors = np.linalg.eigh(block / np.outer(scale, scale))
    covariance = np.zeros_like(information)
    inverse = (vectors / np.where(values > 1e-12, values, np.inf)) @ vectors.T
    covariance[np.ix_(own, own)] = inverse / np.outer(scale, scale)
    return covariance, float(values[0]) if len(values) else np.inf


def quadratic_diagonals(jacobian: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return diag(J C J') for J (levels, q, p): the variance (levels, q) that C brings to each effect."""
    return np.asarray(np.einsum("lqa,ab,lqb->lq", jacobian, covariance, jacobian, optimize=True))
