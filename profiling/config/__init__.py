"""Configuration: `config.yaml` becomes frozen, validated settings; every message names file, line and key."""

from profiling.config.canonical import CANONICAL_COLUMNS, MEASURE_SOURCES, RECORD_IDS, SOURCE_NAMES
from profiling.config.composites import Composite
from profiling.config.formulas import FormulaError, check_formula, formula_columns
from profiling.config.load import load_settings
from profiling.config.measures import Condition, FlagRule, Measure, ProviderLevel
from profiling.config.settings import Disclosure, Settings
from profiling.config.sources import ColumnSpec, Gate, Output, Period, Publishing, Source

__all__ = [
    "CANONICAL_COLUMNS",
    "MEASURE_SOURCES",
    "RECORD_IDS",
    "SOURCE_NAMES",
    "ColumnSpec",
    "Composite",
    "Condition",
    "Disclosure",
    "FlagRule",
    "FormulaError",
    "Gate",
    "Measure",
    "Output",
    "Period",
    "ProviderLevel",
    "Publishing",
    "Settings",
    "Source",
    "check_formula",
    "formula_columns",
    "load_settings",
]
