"""Residuals at the conditional means: response, working, Pearson, deviance and randomised quantile residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from profiling.errors import ModelError, Problem
from profiling.modeling import distribution
from profiling.modeling.families import Family, family_of

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

KINDS = ("deviance", "pearson", "quantile", "response", "working")


def shape_of(fit: MixedModelResult) -> float:
    """Return what `distribution` calls shape: the residual sd, the NB2 shape, else 1."""
    if fit.family == "gaussian":
        return fit.residual_sd
    return float(fit.dispersion) if fit.family == "negative_binomial" else 1.0


def residuals(fit: MixedModelResult, kind: str, seed: int) -> np.ndarray:
    """Return one residual a row (n), in the data's order; see `MixedModelResult.residuals`."""
    if kind not in KINDS:
        raise ModelError(Problem("kind", kind, f"one of {', '.join(KINDS)}"))
    eta = fit.conditional_predictor()
    family = family_of(fit.family, fit.link, fit.dispersion)
    mean = np.asarray(family.inverse_link(eta))
    y, weights, shape = fit.outcome, fit.weights, shape_of(fit)
    if kind == "response":
        return np.asarray(y - mean)
    if kind == "working":
        return np.asarray((y - mean) / mean_slope(family, eta))
    if kind == "pearson":
        return np.asarray((y - mean) * np.sqrt(weights / distribution.variance(fit.family, mean, shape)))
    if kind == "deviance":
        each = np.maximum(weights * distribution.unit_deviance(fit.family, y, mean, shape), 0.0)
        return np.asarray(np.sign(y - mean) * np.sqrt(each))
    below, upto = distribution.cumulative(fit.family, y, mean, weights, shape)
    uniform = np.random.default_rng(seed).random(len(y))
    probability = below + uniform * (upto - below)
    return np.asarray(special.ndtri(np.clip(probability, 1e-300, 1 - 1e-16)))


def mean_slope(family: Family, eta: np.ndarray) -> np.ndarray:
    """Return dmean/deta of the family's link."""
    if family.link == "logit":
        mean = special.expit(eta)
        return np.asarray(mean * special.expit(-eta))
    if family.link == "probit":
        return np.asarray(np.exp(-(eta**2) / 2) / np.sqrt(2 * np.pi))
    if family.link == "cloglog":
        return np.asarray(np.exp(eta - np.exp(eta)))
    return np.asarray(np.exp(eta)) if family.link == "log" else np.ones_like(eta)
