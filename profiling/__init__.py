"""Provider performance profiling: records in, evidence out, every number walked back to its records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "__version__",
    "anova",
    "compare_errors",
    "gee",
    "glmm",
    "lmm",
    "profile_providers",
    "structure",
    "trial_design",
]

if TYPE_CHECKING:
    from profiling.assessment import profile_providers
    from profiling.modeling import anova, gee, glmm, lmm
    from profiling.modeling.data_structure import structure
    from profiling.modeling.error_comparison import compare_errors
    from profiling.modeling.trial_design import trial_design

# The public face is loaded on first use: `profiling --help` must not pay for numba and pandas.
_HOMES = {
    "anova": "profiling.modeling",
    "compare_errors": "profiling.modeling.error_comparison",
    "gee": "profiling.modeling",
    "glmm": "profiling.modeling",
    "lmm": "profiling.modeling",
    "profile_providers": "profiling.assessment",
    # By the module's own name: `profiling.modeling.structure` is the engine's layout of rows.
    "structure": "profiling.modeling.data_structure",
    "trial_design": "profiling.modeling.trial_design",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'profiling' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
