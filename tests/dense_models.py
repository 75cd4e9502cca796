"""Mixed models straight from their definitions with dense matrices and plain numerical integration: slow oracles.

Nothing here shares code with the engine but the design's arrays.
"""

from __future__ import annotations

import numpy as np
from scipy import special, stats

from profiling.modeling.design import Design
from profiling.modeling.families import Family


def log_density(family: Family, y: np.ndarray, m: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """log p(y | eta) with all constants; y proportions of m trials, or counts of weight m."""
    if family.name == "binomial":
        constant = special.gammaln(m + 1) - special.gammaln(m * y + 1) - special.gammaln(m - m * y + 1)
        if family.link == "logit":
            return constant + m * (y * special.log_expit(eta) + (1 - y) * special.log_expit(-eta))
        if family.link == "probit":
            return constant + m * (y * special.log_ndtr(eta) + (1 - y) * special.log_ndtr(-eta))
        t = np.exp(eta)
        return constant + m * (np.where(y > 0, y * np.log(-np.expm1(-t)), 0.0) - (1 - y) * t)
    if family.name == "poisson":
        return m * (y * eta - np.exp(eta) - special.gammaln(y + 1))
    k = family.shape
    mu = np.exp(eta)
    rising = special.gammaln(y + k) - special.gammaln(k) - special.gammaln(y + 1)
    return m * (rising + k * np.log(k / (k + mu)) + y * np.log(mu / (k + mu)))


def score_and_weight(family: Family, y: np.ndarray, m: np.ndarray, eta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """d log p / d eta and its negative derivative (the observed information)."""
    if family.link == "logit":
        mu = special.expit(eta)
        return m * (y - mu), m * mu * (1 - mu)
    if family.link == "probit":
        up, down = (np.exp(stats.norm.logpdf(eta) - special.log_ndtr(side)) for side in (eta, -eta))
        return m * (y * up - (1 - y) * down), m * (y * up * (up + eta) + (1 - y) * down * (down - eta))
    mu = np.exp(eta)
    if family.link == "cloglog":
        h = mu / np.expm1(mu)
        return m * (y * h - (1 - y) * mu), m * ((1 - y) * mu - y * h * (1 - mu - h))
    if family.name == "poisson":
        return m * (y - mu), m * mu
    share = 1 / (1 + mu / family.shape)
    return m * (y - mu) * share, m * mu * (1 + y / family.shape) * share**2


def random_matrix(design: Design, Lambda: np.ndarray) -> np.ndarray:
    """Z Lambda (n, levels times terms of every factor)."""
    z = (np.ones((design.n, Lambda.shape[0])) if design.plain else design.Z) @ Lambda
    blocks = []
    for f, factor in enumerate(design.factors):
        own = z[:, design.form.offsets[f] : design.form.offsets[f + 1]]
        indicator = factor.codes[design.order][:, None] == np.arange(factor.size)
        blocks.append((indicator[:, :, None] * own[:, None, :]).reshape(design.n, -1))
    return np.concatenate(blocks, axis=1)


def dense_laplace(design: Design, family: Family, beta: np.ndarray, theta: np.ndarray) -> float:
    """The Laplace approximation of the log-likelihood, with all constants."""
    Z = random_matrix(design, design.form.matrix(theta))
    fixed = design.X @ beta + design.offset

    def height(u: np.ndarray) -> float:
        return float(log_density(family, design.y, design.weights, fixed + Z @ u).sum() - 0.5 * u @ u)

    u = np.zeros(Z.shape[1])
    for _ in range(200):
        l1, w = score_and_weight(family, design.y, design.weights, fixed + Z @ u)
        step = np.linalg.solve(Z.T @ (w[:, None] * Z) + np.eye(len(u)), Z.T @ l1 - u)
        while np.abs(step).max() > 1e-9 and not height(u + step) > height(u):
            step /= 2
        u = u + step
        if np.abs(step).max() < 1e-12:
            break
    _, w = score_and_weight(family, design.y, design.weights, fixed + Z @ u)
    return height(u) - 0.5 * float(np.linalg.slogdet(Z.T @ (w[:, None] * Z) + np.eye(len(u)))[1])


def dense_linear(design: Design, theta: np.ndarray, reml: bool) -> float:
    """The profiled (restricted) log-likelihood of an LMM from its marginal normal density."""
    Z = random_matrix(design, design.form.matrix(theta))
    V = np.diag(1 / design.weights) + Z @ Z.T
    X, y, n, p = design.X, design.y - design.offset, design.n, design.X.shape[1]
    VX, Vy = np.linalg.solve(V, X), np.linalg.solve(V, y)
    information = X.T @ VX
    beta = np.linalg.solve(information, X.T @ Vy)
    freedom = n - p if reml else n
    variance = float((y - X @ beta) @ (Vy - VX @ beta)) / freedom
    log_rx = float(np.linalg.slogdet(information)[1]) if reml else 0.0
    return -0.5 * (float(np.linalg.slogdet(V)[1]) + log_rx + freedom * (1 + np.log(2 * np.pi * variance)))


def integrated(design: Design, family: Family, beta: np.ndarray, sigma: np.ndarray, tolerance: float = 1e-11) -> float:
    """The log-likelihood of nested intercepts, integrated level within level, with all constants.

    The trapezoid rule on one lattice for every level, halved until the value changes by less than `tolerance`: for
    analytic integrands that vanish at both ends its error falls faster than any power of the step (Trefethen &
    Weideman 2014). Sums of lattice points are lattice points, so an inner integral is needed at those only.
    """
    step, previous = 0.25 * float(sigma.min()), np.inf
    for _ in range(6):
        value = _on_lattice(design, family, beta, sigma, step)
        if abs(value - previous) < tolerance * (1 + abs(value)):
            return value
        previous, step = value, step / 2
    raise AssertionError("the integral does not converge")


def _on_lattice(design: Design, family: Family, beta: np.ndarray, sigma: np.ndarray, step: float) -> float:
    reach = [int(np.ceil(9.0 * s / step)) for s in sigma]
    weights = [
        stats.norm.logpdf(np.arange(-r, r + 1) * step / s) + np.log(step / s) for r, s in zip(reach, sigma, strict=True)
    ]
    lattice = np.arange(-sum(reach), sum(reach) + 1) * step
    fixed = design.X @ beta + design.offset
    codes = [factor.codes[design.order] for factor in design.factors]

    def log_integral(level: int, rows: np.ndarray) -> np.ndarray:
        """The integral over level and all within, at every lattice point that the outer levels can reach."""
        if level == 0:
            parts = [log_density(family, design.y[i], design.weights[i], fixed[i] + lattice) for i in rows]
        else:
            inner = codes[level - 1][rows]
            parts = [log_integral(level - 1, rows[inner == code]) for code in np.unique(inner)]
        windows = np.lib.stride_tricks.sliding_window_view(np.sum(parts, axis=0), len(weights[level]))
        return np.asarray(special.logsumexp(windows + weights[level], axis=1))

    outer = codes[-1]
    clusters = [np.flatnonzero(outer == code) for code in np.unique(outer)]
    return float(sum(log_integral(len(codes) - 1, rows)[0] for rows in clusters))
