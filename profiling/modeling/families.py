"""Families and links: the log density of one observation and its derivatives in the linear predictor.

For an observation y with weight m (binomial: trials, y a proportion; otherwise a multiplier of log p) and linear
predictor eta the kernel gives

    l0 = log p(y | eta) without the part that is free of eta,
    l1 = dl0/deta,   W = -d2l0/deta2,   W1 = dW/deta.

W is the *observed* information: for the canonical links (logit, log) it equals the expected one, for probit and
cloglog it does not, and the Laplace approximation needs the observed (Breslow & Clayton 1993, eq. 5 drops the
difference; McCulloch & Searle 2001, section 8.4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
from scipy import special

from profiling.errors import ModelError, Problem

LOGIT, PROBIT, CLOGLOG, POISSON = 0, 1, 2, 3
# From here on a kernel's `code` is NEGATIVE_BINOMIAL + kappa: one number says the family and its shape.
NEGATIVE_BINOMIAL = 16
_LINKS: dict[tuple[str, str], int] = {
    ("binomial", "logit"): LOGIT,
    ("binomial", "probit"): PROBIT,
    ("binomial", "cloglog"): CLOGLOG,
    ("poisson", "log"): POISSON,
    ("negative_binomial", "log"): NEGATIVE_BINOMIAL,
}
_CANONICAL = {"binomial": "logit", "poisson": "log", "negative_binomial": "log", "gaussian": "identity"}
# The variance of the latent error of a threshold model, by link (Goldstein, Browne & Rasbash 2002).
LATENT_VARIANCE = {"logit": math.pi**2 / 3, "probit": 1.0, "cloglog": math.pi**2 / 6}


@dataclass(frozen=True)
class Family:
    """A distribution with its link; `code` selects the branch of the compiled kernel.

    `shape` is kappa of the negative binomial NB2 (variance mu + mu^2 / kappa), nan elsewhere.
    """

    name: str
    link: str
    code: float
    shape: float = math.nan

    def inverse_link(self, eta: Any) -> Any:
        """Return the mean (for binomial: the probability) at linear predictor `eta`, elementwise."""
        if self.code == LOGIT:
            return special.expit(eta)
        if self.code == PROBIT:
            return special.ndtr(eta)
        if self.code == CLOGLOG:
            return -np.expm1(-np.exp(eta))
        return np.exp(eta) if self.link == "log" else np.asarray(eta)

    def link_function(self, mean: Any) -> Any:
        """Return the linear predictor whose mean is `mean`, elementwise."""
        if self.code == LOGIT:
            return special.logit(mean)
        if self.code == PROBIT:
            return special.ndtri(mean)
        if self.code == CLOGLOG:
            return np.log(-np.log1p(-np.asarray(mean)))
        return np.log(mean) if self.link == "log" else np.asarray(mean)

    def constant(self, y: np.ndarray, weights: np.ndarray) -> float:
        """Return the part of the log-likelihood that does not depend on eta (so that all constants are in)."""
        if self.name == "binomial":
            successes = weights * y
            whole = special.gammaln(weights + 1) - special.gammaln(successes + 1)
            return float(np.sum(whole - special.gammaln(weights - successes + 1)))
        return -float(np.sum(weights * special.gammaln(y + 1)))


def family_of(name: str, link: str | None, shape: float = math.nan) -> Family:
    """Return the family by name and link (the canonical one where `link` is None), with the NB's shape if known."""
    chosen = link or _CANONICAL.get(name, "")
    if (name, chosen) == ("gaussian", "identity"):
        return Family("gaussian", "identity", -1)
    if (name, chosen) not in _LINKS:
        known = ", ".join(f"{family}({its})" for family, its in [*_LINKS, ("gaussian", "identity")])
        raise ModelError(Problem("family", f"{name} with link {chosen or None}", f"one of {known}"))
    if name == "negative_binomial":
        return Family(name, chosen, NEGATIVE_BINOMIAL + shape, shape)
    return Family(name, chosen, _LINKS[name, chosen])


_SQRT2 = math.sqrt(2.0)
_LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)


@nb.njit(cache=True, inline="always")
def _log_normal_tail(x: float) -> float:
    """Return log Phi(x), accurate far into the lower tail (asymptotic series below -14)."""
    if x > -14.0:
        return math.log(0.5 * math.erfc(-x / _SQRT2))
    z = 1.0 / (x * x)
    return -0.5 * x * x - _LOG_SQRT_2PI - math.log(-x) + math.log1p(-z * (1 - 3 * z * (1 - 5 * z * (1 - 7 * z))))


@nb.njit(cache=True, inline="always")
def _probit_side(x: float) -> tuple[float, float, float, float]:
    """Return log Phi(x) and its first three derivatives, through the inverse Mills ratio."""
    log_tail = _log_normal_tail(x)
    mills = math.exp(-0.5 * x * x - _LOG_SQRT_2PI - log_tail)
    second = -mills * (x + mills)
    third = -second * (x + mills) - mills * (1 + second)
    return log_tail, mills, second, third


@nb.njit(cache=True)
def log_rising(y: float, kappa: float) -> float:
    """Return log[kappa (kappa + 1) ... (kappa + y - 1)] - y log kappa, exact for large kappa too."""
    if y <= 64.0:
        total = 0.0
        for i in range(int(y)):
            total += math.log1p(i / kappa)
        return total
    return math.lgamma(y + kappa) - math.lgamma(kappa) - y * math.log(kappa)


@nb.njit(cache=True, inline="always")
def derivatives(code: float, y: float, m: float, eta: float) -> tuple[float, float, float, float]:
    """Return (l0, l1, W, W1) of one observation; see the module's docstring."""
    if code == LOGIT:
        e = math.exp(-abs(eta))
        small, large = e / (1 + e), 1 / (1 + e)
        mu = large if eta >= 0 else small
        w = m * small * large
        return m * (y * eta - max(eta, 0.0) - math.log1p(e)), m * (y - mu), w, w * (1 - 2 * mu)
    if code == POISSON:
        mu = math.exp(min(eta, 700.0))
        return m * (y * eta - mu), m * (y - mu), m * mu, m * mu
    if code >= NEGATIVE_BINOMIAL:
        # The terms that hold kappa alone stand in l0: it is a parameter too. All are written to reach Poisson's.
        kappa = code - NEGATIVE_BINOMIAL
        mu = math.exp(min(eta, 690.0))
        share = 1.0 / (1.0 + mu / kappa)
        l0 = y * eta - (y + kappa) * math.log1p(mu / kappa) + log_rising(y, kappa)
        w = mu * (1.0 + y / kappa) * share * share
        return m * l0, m * (y - mu) * share, m * w, m * w * (1.0 - mu / kappa) * share
    if code == PROBIT:
        a0, a1, a2, a3 = _probit_side(eta)
        b0, b1, b2, b3 = _probit_side(-eta)
        n = 1 - y
        return m * (y * a0 + n * b0), m * (y * a1 - n * b1), -m * (y * a2 + n * b2), -m * (y * a3 - n * b3)
    # cloglog: mu = 1 - exp(-t), t = exp(eta); log(1-mu) = -t; log mu = log(1 - exp(-t)).
    t = math.exp(max(-690.0, min(eta, 690.0)))
    h = t / math.expm1(t) if t < 700.0 else 0.0
    log_mu = math.log(-math.expm1(-t)) if eta > -690.0 else eta
    # f = log mu: f' = h, f'' = h(1 - t - h), f''' = h[(1-t-h)^2 - t - h(1-t-h)]
    # Beyond t of 700 all three are zero, where h times g squared would be zero times infinity.
    g = 1 - t - h if t < 700.0 else 0.0
    f2, f3 = h * g, h * (g * g - t - h * g) if t < 700.0 else 0.0
    n = 1 - y
    return m * (y * log_mu - n * t), m * (y * h - n * t), -m * (y * f2 - n * t), -m * (y * f3 - n * t)
