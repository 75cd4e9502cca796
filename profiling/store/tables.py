"""Every table of the database, as SQLAlchemy Core metadata.

Three families: what came in (`loads`, `rejects`, `rule_outcomes`), the records themselves (`patients` to
`diagnoses`, to which a load adds one typed column for each declared attribute), and what a run found (the
rest, each row under its `run_id`). A report is drawn from the last family and the summary of the first alone.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

NAMING: Final = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = sa.MetaData(naming_convention=NAMING)

# Text is ordered by code point on every server: PostgreSQL would else follow the locale of its installation.
TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
REAL: Final[sa.Double[float]] = sa.Double()
COUNT: Final = sa.BigInteger()

RUN_STATUSES: Final = ("running", "fitted", "published", "failed")
CATEGORIES: Final = ("higher", "higher_watch", "as_expected", "lower_watch", "lower", "too_few")


def _text(name: str, *, nullable: bool = False, primary_key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, TEXT, nullable=nullable, primary_key=primary_key)


def _real(name: str) -> sa.Column[Any]:
    return sa.Column(name, REAL, nullable=True)


def _count(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, COUNT, nullable=nullable)


def _position(name: str = "position") -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, primary_key=True, autoincrement=False)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, primary_key=True, autoincrement=False)


def _load(*, nullable: bool = False, primary_key: bool = False) -> sa.Column[Any]:
    key = sa.ForeignKey("loads.load_id", ondelete="CASCADE")
    return sa.Column("load_id", sa.Integer, key, nullable=nullable, primary_key=primary_key)


def _run() -> sa.Column[Any]:
    return sa.Column("run_id", TEXT, sa.ForeignKey("runs.run_id", ondelete="CASCADE"), primary_key=True)


def _reference(name: str, target: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, TEXT, sa.ForeignKey(target), nullable=nullable, index=True)


# What came in.
loads = sa.Table(
    "loads",
    metadata,
    _number("load_id"),
    _text("source"),
    _text("file_name"),
    _text("sha256"),
    _text("declaration_sha256"),
    _count("bytes"),
    _count("rows_read"),
    _count("rows_accepted"),
    _count("rows_rejected"),
    sa.Column("loaded_at", sa.DateTime, nullable=False),
    sa.Column("is_current", sa.Boolean, nullable=False),
    sa.CheckConstraint("rows_read = rows_accepted + rows_rejected", name="no_row_lost"),
)
rejects = sa.Table(
    "rejects",
    metadata,
    _number("reject_id"),
    sa.Column("load_id", sa.Integer, sa.ForeignKey("loads.load_id", ondelete="CASCADE"), nullable=False, index=True),
    _text("rule_id"),
    _count("source_row"),
    _text("column_name", nullable=True),
)
rule_outcomes = sa.Table(
    "rule_outcomes",
    metadata,
    _load(primary_key=True),
    _text("rule_id", primary_key=True),
    _text("column_name", nullable=True),
    _count("rows_checked"),
    _count("rows_broken"),
)

# The records. A load adds a column for each declared attribute.
patients = sa.Table(
    "patients",
    metadata,
    _text("patient_id", primary_key=True),
    _text("sex", nullable=True),
    sa.Column("birth_date", sa.Date, nullable=True),
    _load(nullable=True),
)
clinics = sa.Table(
    "clinics",
    metadata,
    _text("clinic_id", primary_key=True),
    _text("name", nullable=True),
    _load(nullable=True),
)
physicians = sa.Table(
    "physicians",
    metadata,
    _text("physician_id", primary_key=True),
    _text("name", nullable=True),
    _reference("clinic_id", "clinics.clinic_id"),
    _load(nullable=True),
)
encounters = sa.Table(
    "encounters",
    metadata,
    _text("encounter_id", primary_key=True),
    _reference("patient_id", "patients.patient_id"),
    _reference("clinic_id", "clinics.clinic_id"),
    _reference("physician_id", "physicians.physician_id"),
    sa.Column("admitted", sa.Date, nullable=True),
    sa.Column("discharged", sa.Date, nullable=True),
    _load(nullable=True),
)
diagnoses = sa.Table(
    "diagnoses",
    metadata,
    _number("diagnosis_id"),
    _reference("encounter_id", "encounters.encounter_id", nullable=False),
    _text("code"),
    _text("system", nullable=True),
    sa.Column("position", sa.BigInteger, nullable=True),
    _load(nullable=True),
)
comments = sa.Table(
    "comments",
    metadata,
    _number("comment_id"),
    _text("level"),
    _text("provider"),
    _text("comment"),
    _load(nullable=True),
)
RECORDS: Final = {table.name: table for table in (patients, clinics, physicians, encounters, diagnoses, comments)}

# What a run used.
runs = sa.Table(
    "runs",
    metadata,
    _text("run_id", primary_key=True),
    sa.Column("created_at", sa.DateTime, nullable=False),
    _text("status"),
    sa.Column("seed", sa.BigInteger, nullable=False),
    _text("version"),
    _text("title"),
    _text("config_text"),
    _text("config_sha256"),
    sa.Column("threshold", sa.Integer, nullable=False),
    _text("output_json", nullable=True),
    sa.CheckConstraint(f"status IN {RUN_STATUSES}", name="status"),
)
run_inputs = sa.Table(
    "run_inputs",
    metadata,
    _run(),
    _text("source", primary_key=True),
    _text("file_name", primary_key=True),
    _text("sha256"),
    _count("rows_read"),
    _count("rows_accepted"),
    _count("rows_rejected"),
    sa.Column("load_id", sa.Integer, sa.ForeignKey("loads.load_id"), nullable=True),
)
run_timings = sa.Table("run_timings", metadata, _run(), _text("stage", primary_key=True), _real("seconds"))


def _measure() -> sa.Column[Any]:
    return _text("measure", primary_key=True)


def _result(name: str, *columns: sa.Column[Any]) -> sa.Table:
    """A table of results: rows under a run and a measure."""
    return sa.Table(name, metadata, _run(), _measure(), *columns)


measures = _result(
    "measures",
    sa.Column("position", sa.Integer, nullable=False),
    _text("spec_json"),
    _text("cohort_sql", nullable=True),
    _text("formula", nullable=True),
    _count("rows_used", nullable=True),
    _real("overall_rate"),
)
cohort_flow = _result("cohort_flow", _position(), _text("step"), _count("rows_left"))
missing_counts = _result(
    "missing_counts",
    _text("level", primary_key=True),
    _text("provider", primary_key=True),
    _text("column_name", primary_key=True),
    _count("rows_missing"),
    _count("rows_total"),
)

# What a run found.
fixed_effects = _result(
    "fixed_effects",
    _position(),
    _text("term"),
    *map(_real, ("estimate", "standard_error", "lower", "upper")),
)
variance_components = _result(
    "variance_components",
    _position(),
    _text("grouping"),
    _text("term_a"),
    _text("term_b", nullable=True),
    _real("covariance"),
)
model_checks = _result("model_checks", _text("name", primary_key=True), _real("value"), _text("note", nullable=True))
calibration = _result("calibration", _position("band"), _count("n"), *map(_real, ("observed", "expected")))

ESTIMATES: Final = (
    *("observed", "expected", "expected_marginal", "predicted"),
    *("observed_rate", "expected_rate", "predicted_rate"),
    *("oe_ratio", "oe_lower", "oe_upper"),
    *("ratio", "ratio_lower", "ratio_upper"),
    *("risk_standardized_rate", "rsr_lower", "rsr_upper"),
    *("mode", "mode_sd", "probability_above", "z", "probability_by_chance", "reliability"),
    *("expected_rank", "rank_lower", "rank_upper", "percentile", "cases_for_reliability"),
)
provider_estimates = _result(
    "provider_estimates",
    _text("level", primary_key=True),
    _text("provider", primary_key=True),
    _text("provider_name", nullable=True),
    _text("parent", nullable=True),
    _text("parent_name", nullable=True),
    _count("n_parents", nullable=True),
    _count("n"),
    *map(_real, ESTIMATES),
    _text("category", nullable=True),
)
flags = _result(
    "flags",
    _text("level", primary_key=True),
    _text("provider", primary_key=True),
    _text("rule"),
    _text("category"),
    *map(_real, ("probability_by_chance", "watch_limit", "flag_limit")),
)
predictions = _result(
    "predictions",
    _text("encounter_id", primary_key=True),
    _text("outer_provider"),
    _text("inner_provider", nullable=True),
    *map(_real, ("observed", "expected", "expected_marginal", "predicted")),
)
funnel_limits = _result(
    "funnel_limits",
    _text("level", primary_key=True),
    _position(),
    *map(_real, ("expected", "lower_flag", "lower_watch", "upper_watch", "upper_flag")),
)

# What a finding rests on, and what else was asked of the same records.
provider_evidence = _result(
    "provider_evidence",
    _text("level", primary_key=True),
    _text("provider", primary_key=True),
    _count("methods", nullable=True),
    _count("agree", nullable=True),
    _text("dissent", nullable=True),
    *(_count(f"events_to_{limit}", nullable=True) for limit in ("higher_watch", "higher_flag")),
    *(_count(f"events_to_{limit}", nullable=True) for limit in ("lower_watch", "lower_flag")),
    *map(_real, ("e_value", "e_value_limit")),
    *map(_real, ("top_fifth", "bottom_fifth", "top_tenth", "bottom_tenth")),
    *map(_real, ("rank_set_lower", "rank_set_upper", "triple_goal")),
    *map(_real, ("effect", "effect_sd", "rule_probability", "exposure")),
    *map(_real, ("direct_rate", "direct_lower", "direct_upper")),
    *map(_real, ("difference", "difference_lower", "difference_upper")),
    _real("overlap"),
    _text("fixed_disagreement", nullable=True),
)
provider_periods = _result(
    "provider_periods",
    _text("level", primary_key=True),
    _text("provider", primary_key=True),
    _position(),
    _text("period"),
    _count("n"),
    *map(_real, ("observed", "expected", "ratio", "lower", "upper")),
    *map(_real, ("cusum", "cusum_limit")),
    sa.Column("signal", sa.Boolean, nullable=True),
    *map(_real, ("cusum_lower", "cusum_lower_limit")),
    sa.Column("signal_lower", sa.Boolean, nullable=True),
)
subgroups = _result(
    "subgroups",
    _position(),
    _text("model", primary_key=True),
    _text("column_name"),
    _text("value"),
    _count("n"),
    *map(_real, ("observed", "expected", "ratio", "lower", "upper")),
)
social_risk = _result(
    "social_risk",
    _text("level", primary_key=True),
    _text("provider", primary_key=True),
    *map(_real, ("ratio_without", "ratio_with")),
    _text("category_without", nullable=True),
    _text("category_with", nullable=True),
)
sensitivity = _result(
    "sensitivity",
    _position(),
    _text("variant"),
    _text("level"),
    _count("providers", nullable=True),
    _real("rank_correlation"),
    _count("flags_same", nullable=True),
    _count("flags_changed", nullable=True),
    _text("note", nullable=True),
)
provider_comments = sa.Table(
    "provider_comments",
    metadata,
    _run(),
    _text("level", primary_key=True),
    _text("provider", primary_key=True),
    _position(),
    _text("comment"),
)
composites = sa.Table(
    "composites",
    metadata,
    _run(),
    _position(),
    _text("composite"),
    _text("spec_json"),
    _text("note", nullable=True),
)
composite_scores = sa.Table(
    "composite_scores",
    metadata,
    _run(),
    _text("composite", primary_key=True),
    _text("level", primary_key=True),
    _text("provider", primary_key=True),
    _text("provider_name", nullable=True),
    _count("measures"),
    *map(_real, ("value", "lower", "upper")),
    *map(_real, ("expected_rank", "rank_lower", "rank_upper", "percentile")),
)
RESULTS: Final = {
    table.name: table
    for table in (
        *(run_inputs, run_timings, measures, cohort_flow, missing_counts, fixed_effects, variance_components),
        *(model_checks, calibration, provider_estimates, flags, predictions, funnel_limits),
        *(provider_evidence, provider_periods, subgroups, social_risk, sensitivity, provider_comments),
        *(composites, composite_scores),
    )
}


def core_columns(name: str) -> tuple[str, ...]:
    """The columns of a table of records that the migrations own; any other is an attribute."""
    return tuple(column.name for column in RECORDS[name].columns)
