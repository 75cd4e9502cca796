"""One level of nested quadrature over the one inside it: log integrals with their derivatives, from node to node.

`nested_quadrature` holds the mathematics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Level:
    """One outer level at one set of nodes, by cluster and outer node (D, C) and own node (D, C, Q)."""

    value: np.ndarray
    slope: np.ndarray
    first: np.ndarray
    second: np.ndarray
    mean: np.ndarray
    square: np.ndarray
    center_first: np.ndarray
    center_second: np.ndarray
    share: np.ndarray


def combine(
    inside: Level,
    child_ptr: np.ndarray,
    center: np.ndarray,
    spread: np.ndarray,
    sigma: float,
    z: np.ndarray,
    log_weight: np.ndarray,
) -> Level:
    """Return a level from the one inside it, whose outer nodes are this level's outer nodes times its own."""
    shape = (*center.shape, len(z))

    def children(values: np.ndarray) -> np.ndarray:
        return np.asarray(np.add.reduceat(values, child_ptr[:-1], axis=0)).reshape(shape)

    b = center[:, :, None] + spread[:, :, None] * z
    precision = sigma**-2.0 if sigma > 0 else 0.0
    height = log_weight + children(inside.value) - 0.5 * precision * b**2
    peak = height.max(axis=2)
    share = np.exp(height - peak[:, :, None])
    total = share.sum(axis=2)
    share /= total[:, :, None]
    first, second = children(inside.first), children(inside.second)
    mean = (share * first).sum(axis=2)
    square = (share * b**2).sum(axis=2)
    middle = len(z) // 2
    widening = spread**2 * precision
    moving = (first - b * precision) * widening[:, :, None] * (center[:, :, None] + b)
    slope = square * precision - 1.0 + widening + (share * moving).sum(axis=2)
    return Level(
        value=peak + np.log(total) + (np.log(spread / sigma) if sigma > 0 else 0.0),
        slope=slope if sigma > 0 else np.zeros_like(slope),
        first=mean,
        second=(share * (second + first**2)).sum(axis=2) - mean**2,
        mean=(share * b).sum(axis=2),
        square=square,
        center_first=first[:, :, middle],
        center_second=second[:, :, middle],
        share=share,
    )
