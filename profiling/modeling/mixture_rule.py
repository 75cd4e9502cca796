"""Quantiles of mixtures of densities known at nodes, and Gauss rules of discrete distributions: compiled kernels.

`nested_posterior` holds the mathematics.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from profiling.modeling.inner_integral import mode_of, node

REACH = 6.0  # posterior sds of a component to either side
STEPS = 64
FARTHEST_NODE = 5.0
NEGLIGIBLE = 1e-10
BISECTIONS = 30


def between_nodes(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what takes values at the nodes z (n) to a polynomial's values and slopes on the grid (STEPS + 1, n)."""
    grid = np.linspace(-REACH, REACH, STEPS + 1)
    near = np.flatnonzero(np.abs(z) <= FARTHEST_NODE)
    own = z[near]
    inside = np.clip(grid, own[0], own[-1])
    powers = np.vander(own, increasing=True)
    at = np.vander(inside, len(own), increasing=True)
    slope = np.zeros_like(at)
    slope[:, 1:] = at[:, :-1] * np.arange(1, len(own))
    values, slopes = (np.linalg.solve(powers.T, part.T).T for part in (at, slope))
    values = values + (grid - inside)[:, None] * slopes
    whole = np.zeros((2, len(grid), len(z)))
    whole[0][:, near], whole[1][:, near] = values, slopes
    return whole[0], whole[1]


@nb.njit(parallel=True, cache=True)
def mixture_quantiles(
    center: np.ndarray,
    spread: np.ndarray,
    weight: np.ndarray,
    height: np.ndarray,
    z: np.ndarray,
    values: np.ndarray,
    slopes: np.ndarray,
    probabilities: np.ndarray,
    out: np.ndarray,
) -> None:
    """Store the quantiles (N, P) of mixtures of densities with log `height` (N, C, Q) at center + spread z (N, C)."""
    steps = len(values) - 1
    h = 2.0 * REACH / steps
    for n in nb.prange(len(center)):
        components = center.shape[1]
        density, slope = np.empty((components, steps + 1)), np.empty((components, steps + 1))
        below = np.empty((components, steps + 1))
        low, high = np.inf, -np.inf
        for c in range(components):
            if weight[n, c] < NEGLIGIBLE:
                continue
            peak = -np.inf
            for q in range(len(z)):
                peak = max(peak, height[n, c, q])
            below[c, 0] = 0.0
            for j in range(steps + 1):
                r, turn, at = 0.0, 0.0, -REACH + j * h
                for q in range(len(z)):
                    own = height[n, c, q] - peak + 0.5 * z[q] * z[q]
                    r += values[j, q] * own
                    turn += slopes[j, q] * own
                density[c, j] = math.exp(min(r - 0.5 * at * at, 300.0))
                slope[c, j] = density[c, j] * (turn - at)
                if j:
                    area = 0.5 * h * (density[c, j - 1] + density[c, j]) + h * h / 12 * (slope[c, j - 1] - slope[c, j])
                    below[c, j] = below[c, j - 1] + max(area, 0.0)
            low = min(low, center[n, c] - REACH * spread[n, c])
            high = max(high, center[n, c] + REACH * spread[n, c])
        for k in range(len(probabilities)):
            left, right = low, high
            for _ in range(BISECTIONS):
                middle = 0.5 * (left + right)
                share = 0.0
                for c in range(components):
                    if weight[n, c] >= NEGLIGIBLE:
                        at = (middle - center[n, c]) / spread[n, c]
                        share += weight[n, c] * _share_below(at, h, density[c], slope[c], below[c])
                if share < probabilities[k]:
                    left = middle
                else:
                    right = middle
            out[n, k] = 0.5 * (left + right)


@nb.njit(cache=True)
def _share_below(at: float, h: float, density: np.ndarray, slope: np.ndarray, below: np.ndarray) -> float:
    """Return the share of a component below `at`, on its own scale."""
    if at <= -REACH:
        return 0.0
    if at >= REACH:
        return 1.0
    j = min(int((at + REACH) / h), len(density) - 2)
    t = (at + REACH) / h - j
    a, b = h * slope[j], h * slope[j + 1]
    cubic = 2 * (density[j] - density[j + 1]) + a + b
    square = 3 * (density[j + 1] - density[j]) - 2 * a - b
    part = h * t * (density[j] + a * t / 2 + square * t * t / 3 + cubic * t * t * t / 4)
    share: float = min(max((below[j] + part) / below[-1], 0.0), 1.0)
    return share


@nb.njit(parallel=True, cache=True)
def gauss_of(points: np.ndarray, weight: np.ndarray, nodes: np.ndarray, shares: np.ndarray) -> None:
    """Store the Gauss rules (N, K) of discrete distributions: `points`, `weight` (N, C), by the Lanczos recurrence."""
    K = nodes.shape[1]
    for n in nb.prange(len(points)):
        x, w = points[n], weight[n]
        total, mean = 0.0, 0.0
        for i in range(len(x)):
            total += w[i]
            mean += w[i] * x[i]
        mean /= total
        variance = 0.0
        for i in range(len(x)):
            variance += w[i] * (x[i] - mean) ** 2
        scale = math.sqrt(variance / total)
        nodes[n], shares[n] = mean, 0.0
        if scale < 1e-12:
            shares[n, 0] = 1.0
            continue
        jacobi = np.zeros((K, K))
        before, here = np.zeros(len(x)), np.sqrt(w / total)
        size = 0
        for k in range(K):
            along = 0.0
            for i in range(len(x)):
                along += here[i] * here[i] * (x[i] - mean) / scale
            jacobi[k, k] = along
            size = k + 1
            off = jacobi[k - 1, k] if k else 0.0
            length = 0.0
            for i in range(len(x)):
                following = ((x[i] - mean) / scale - along) * here[i] - off * before[i]
                before[i], here[i] = here[i], following
                length += following * following
            length = math.sqrt(length)
            if k == K - 1 or length < 1e-7:
                break
            for i in range(len(x)):
                here[i] /= length
            jacobi[k, k + 1] = jacobi[k + 1, k] = length
        roots, vectors = np.linalg.eigh(jacobi[:size, :size].copy())
        for k in range(size):
            nodes[n, k] = mean + scale * roots[k]
            shares[n, k] = vectors[0, k] ** 2


@nb.njit(parallel=True, cache=True, error_model="numpy")
def inner_conditionals(
    code: float,
    growth: np.ndarray,
    unit: bool,
    y: np.ndarray,
    weight: np.ndarray,
    eta: np.ndarray,
    cell_ptr: np.ndarray,
    cells: np.ndarray,
    outer: np.ndarray,
    sigma: float,
    z: np.ndarray,
    center: np.ndarray,
    spread: np.ndarray,
    height: np.ndarray,
) -> None:
    """Store modes, scales (N, K) and log densities at the nodes (N, K, Q) of `cells` (N) given outer sums (N, K)."""
    variance = sigma * sigma
    for n in nb.prange(len(cells)):
        lo, hi = cell_ptr[cells[n]], cell_ptr[cells[n] + 1]
        here = np.empty((3, hi - lo))
        start = 0.0
        for k in range(outer.shape[1]):
            s = outer[n, k]
            start = mode_of(code, growth, y, weight, eta, lo, hi, s, variance, start)
            second = node(code, growth, unit, y, weight, eta, lo, hi, s + start, here)[3]
            center[n, k], spread[n, k] = start, 1.0 / math.sqrt(second + 1.0 / variance)
            for q in range(len(z)):
                b = start + spread[n, k] * z[q]
                found = node(code, growth, unit, y, weight, eta, lo, hi, s + b, here)
                height[n, k, q] = found[0] - math.log(found[1]) - 0.5 * b * b / variance
