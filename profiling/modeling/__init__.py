"""Mixed models for clustered data: formula to design to fit, exact gradients, compiled kernels."""

from __future__ import annotations

from profiling.kernels import prepare

prepare()

from profiling.modeling.comparison import anova
from profiling.modeling.diagnosis import Diagnosis
from profiling.modeling.fit import glmm, lmm
from profiling.modeling.gee import GeeResult, gee
from profiling.modeling.iterative import Iteration
from profiling.modeling.result import MixedModelResult, RandomEffects

__all__ = ["Diagnosis", "GeeResult", "Iteration", "MixedModelResult", "RandomEffects", "anova", "gee", "glmm", "lmm"]
