"""Assessment: who differs from the norm, how sure that is, and whether chance would do the same."""

from profiling.assessment.aggregates import assess_aggregates
from profiling.assessment.direct import differences, directly_standardized
from profiling.assessment.flags import CATEGORIES, flag_summary
from profiling.assessment.frames import calibration, flags, funnel_limits, level_checks, model_checks, predictions
from profiling.assessment.options import ProfileOptions
from profiling.assessment.profile import COLUMNS, Assessment, assess, profile_providers

__all__ = [
    "CATEGORIES",
    "COLUMNS",
    "Assessment",
    "ProfileOptions",
    "assess",
    "assess_aggregates",
    "calibration",
    "differences",
    "directly_standardized",
    "flag_summary",
    "flags",
    "funnel_limits",
    "level_checks",
    "model_checks",
    "predictions",
    "profile_providers",
]
