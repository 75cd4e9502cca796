"""The first schema: what came in, the records, and what runs used and found.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "loads",
        sa.Column("load_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("file_name", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("declaration_sha256", TEXT, nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("rows_accepted", sa.BigInteger(), nullable=False),
        sa.Column("rows_rejected", sa.BigInteger(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("load_id", name="pk_loads"),
        sa.CheckConstraint("rows_read = rows_accepted + rows_rejected", name=op.f("ck_loads_no_row_lost")),
    )
    op.create_table(
        "runs",
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("config_text", TEXT, nullable=False),
        sa.Column("config_sha256", TEXT, nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("output_json", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("run_id", name="pk_runs"),
        sa.CheckConstraint(
            "status IN ('running', 'fitted', 'published', 'failed')", name=op.f("ck_runs_status")
        ),
    )
    op.create_table(
        "calibration",
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("measure", TEXT, nullable=False),
        sa.Column("band", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("observed", sa.Double(), nullable=True),
        sa.Column("expected", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "measure", "band", name="pk_calibration"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.run_id"], name="fk_calibration_run_id_runs", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "clinics",
        sa.Column("clinic_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("clinic_id", name="pk_clinics"),
        sa.ForeignKeyConstraint(
            ["load_id"], ["loads.load_id"], name="fk_clinics_load_id_loads", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "cohort_flow",
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("measure", TEXT, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("step", TEXT, nullable=False),
        sa.Column("rows_left", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "measure", "position", name="pk_cohort_flow"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.run_id"], name="fk_cohort_flow_run_id_runs", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "fixed_effects",
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("measure", TEXT, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("term", TEXT, nullable=False),
        sa.Column("estimate", sa.Double(), nullable=True),
        sa.Column("standard_error", sa.Double(), nullable=True),
        sa.Column("lower", sa.Double(), nullable=True),
        sa.Column("upper", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "measure", "position", name="pk_fixed_effects"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.run_id"], name="fk_fixed_effects_run_id_runs", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "flags",
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("measure", TEXT, nullable=False),
        sa.Column("level", TEXT, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("category", TEXT, nullable=False),
        sa.Column("probability_by_chance", sa.Double(), nullable=True),
        sa.Column("watch_limit", sa.Double(), nullable=True),
        sa.Column("flag_limit", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "measure", "level", "provider", name="pk_flags"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_flags_run_id_runs", ondelete="CASCADE"),
    )
    op.create_table(
        "funnel_limits",
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("measure", TEXT, nullable=False),
        sa.Column("level", TEXT, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("expected", sa.Double(), nullable=True),
        sa.Column("lower_flag", sa.Double(), nullable=True),
        sa.Column("lower_watch", sa.Double(), nullable=True),
        sa.Column("upper_watch", sa.Double(), nullable=True),
        sa.Column("upper_flag", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "measure", "level", "position", name="pk_funnel_limits"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.run_id"], name="fk_funnel_limits_run_id_runs", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "measures",
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("measure", TEXT, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("spec_json", TEXT, nullable=False),
        sa.Column("cohort_sql", TEXT, nullable=True),
        sa.Column("formula", TEXT, nullable=True),
        sa.Column("rows_used", sa.BigInteger(), nullable=True),
        sa.Column("overall_rate", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "measure", name="pk_measures"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.run_id"], name="fk_measures_run_id_runs", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "missing_counts",
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("measure", TEXT, nullable=False),
        sa.Column("level", TEXT, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("column_name", TEXT, nullable=False),
        sa.Column("rows_missing", sa.BigInteger(), nullable=False),
        sa.Column("rows_total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "run_id", "measure", "level", "provider", "column_name", name="pk_missing_counts"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.run_id"], name="fk_missing_counts_run_id_runs", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "model_checks",
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("measure", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("note", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("run_id", "measure", "name", name="pk_model_checks"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.run_id"], name="fk_model_checks_run_id_runs", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "patients",
        sa.Column("patient_id", TEXT, nullable=False),
        sa.Column("sex", TEXT, nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("patient_id", name="pk_patients"),
        sa.ForeignKeyConstraint(
            ["load_id"], ["loads.load_id"], name="fk_patients_load_id_loads", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "predictions",
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("measure", TEXT, nullable=False),
        sa.Column("encounter_id", TEXT, nullable=False),
        sa.Column("outer_provider", TEXT, nullable=False),
        sa.Column("inner_provider", TEXT, nullable=True),
        sa.Column("observed", sa.Double(), nullable=True),
        sa.Column("expected", sa.Double(), nullable=True),
        sa.Column("expected_marginal", sa.Double(), nullable=True),
        sa.Column("predicted", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "measure", "encounter_id", name="pk_predictions"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.run_id"], name="fk_predictions_run_id_runs", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "provider_estimates",
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("measure", TEXT, nullable=False),
        sa.Column("level", TEXT, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("provider_name", TEXT, nullable=True),
        sa.Column("parent", TEXT, nullable=True),
        sa.Column("parent_name", TEXT, nullable=True),
        sa.Column("n_parents", sa.BigInteger(), nullable=True),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("observed", sa.Double(), nullable=True),
        sa.Column("expected", sa.Double(), nullable=True),
        sa.Column("expected_marginal", sa.Double(), nullable=True),
        sa.Column("predicted", sa.Double(), nullable=True),
        sa.Column("observed_rate", sa.Double(), nullable=True),
        sa.Column("expected_rate", sa.Double(), nullable=True),
        sa.Column("predicted_rate", sa.Double(), nullable=True),
        sa.Column("oe_ratio", sa.Double(), nullable=True),
        sa.Column("oe_lower", sa.Double(), nullable=True),
        sa.Column("oe_upper", sa.Double(), nullable=True),
        sa.Column("ratio", sa.Double(), nullable=True),
        sa.Column("ratio_lower", sa.Double(), nullable=True),
        sa.Column("ratio_upper", sa.Double(), nullable=True),
        sa.Column("risk_standardized_rate", sa.Double(), nullable=True),
        sa.Column("rsr_lower", sa.Double(), nullable=True),
        sa.Column("rsr_upper", sa.Double(), nullable=True),
        sa.Column("mode", sa.Double(), nullable=True),
        sa.Column("mode_sd", sa.Double(), nullable=True),
        sa.Column("probability_above", sa.Double(), nullable=True),
        sa.Column("z", sa.Double(), nullable=True),
        sa.Column("probability_by_chance", sa.Double(), nullable=True),
        sa.Column("reliability", sa.Double(), nullable=True),
        sa.Column("expected_rank", sa.Double(), nullable=True),
        sa.Column("rank_lower", sa.Double(), nullable=True),
        sa.Column("rank_upper", sa.Double(), nullable=True),
        sa.Column("percentile", sa.Double(), nullable=True),
        sa.Column("cases_for_reliability", sa.Double(), nullable=True),
        sa.Column("category", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("run_id", "measure", "level", "provider", name="pk_provider_estimates"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.run_id"], name="fk_provider_estimates_run_id_runs", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "rejects",
        sa.Column("reject_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("rule_id", TEXT, nullable=False),
        sa.Column("source_row", sa.BigInteger(), nullable=False),
        sa.Column("column_name", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("reject_id", name="pk_rejects"),
        sa.ForeignKeyConstraint(
            ["load_id"], ["loads.load_id"], name="fk_rejects_load_id_loads", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_rejects_load_id", "rejects", ["load_id"])
    op.create_table(
        "rule_outcomes",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("rule_id", TEXT, nullable=False),
        sa.Column("column_name", TEXT, nullable=True),
        sa.Column("rows_checked", sa.BigInteger(), nullable=False),
        sa.Column("rows_broken", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("load_id", "rule_id", name="pk_rule_outcomes"),
        sa.ForeignKeyConstraint(
            ["load_id"], ["loads.load_id"], name="fk_rule_outcomes_load_id_loads", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "run_inputs",
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("file_name", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("rows_accepted", sa.BigInteger(), nullable=False),
        sa.Column("rows_rejected", sa.BigInteger(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "source", "file_name", name="pk_run_inputs"),
        sa.ForeignKeyConstraint(["load_id"], ["loads.load_id"], name="fk_run_inputs_load_id_loads"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.run_id"], name="fk_run_inputs_run_id_runs", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "run_timings",
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("stage", TEXT, nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "stage", name="pk_run_timings"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.run_id"], name="fk_run_timings_run_id_runs", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "variance_components",
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("measure", TEXT, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("grouping", TEXT, nullable=False),
        sa.Column("term_a", TEXT, nullable=False),
        sa.Column("term_b", TEXT, nullable=True),
        sa.Column("covariance", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "measure", "position", name="pk_variance_components"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.run_id"], name="fk_variance_components_run_id_runs", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "physicians",
        sa.Column("physician_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("clinic_id", TEXT, nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("physician_id", name="pk_physicians"),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.clinic_id"], name="fk_physicians_clinic_id_clinics"),
        sa.ForeignKeyConstraint(
            ["load_id"], ["loads.load_id"], name="fk_physicians_load_id_loads", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_physicians_clinic_id", "physicians", ["clinic_id"])
    op.create_table(
        "encounters",
        sa.Column("encounter_id", TEXT, nullable=False),
        sa.Column("patient_id", TEXT, nullable=True),
        sa.Column("clinic_id", TEXT, nullable=True),
        sa.Column("physician_id", TEXT, nullable=True),
        sa.Column("admitted", sa.Date(), nullable=True),
        sa.Column("discharged", sa.Date(), nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("encounter_id", name="pk_encounters"),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.clinic_id"], name="fk_encounters_clinic_id_clinics"),
        sa.ForeignKeyConstraint(
            ["load_id"], ["loads.load_id"], name="fk_encounters_load_id_loads", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patients.patient_id"], name="fk_encounters_patient_id_patients"
        ),
        sa.ForeignKeyConstraint(
            ["physician_id"], ["physicians.physician_id"], name="fk_encounters_physician_id_physicians"
        ),
    )
    op.create_index("ix_encounters_clinic_id", "encounters", ["clinic_id"])
    op.create_index("ix_encounters_patient_id", "encounters", ["patient_id"])
    op.create_index("ix_encounters_physician_id", "encounters", ["physician_id"])
    op.create_table(
        "diagnoses",
        sa.Column("diagnosis_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("encounter_id", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("system", TEXT, nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("diagnosis_id", name="pk_diagnoses"),
        sa.ForeignKeyConstraint(
            ["encounter_id"], ["encounters.encounter_id"], name="fk_diagnoses_encounter_id_encounters"
        ),
        sa.ForeignKeyConstraint(
            ["load_id"], ["loads.load_id"], name="fk_diagnoses_load_id_loads", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_diagnoses_encounter_id", "diagnoses", ["encounter_id"])


def downgrade() -> None:
    op.drop_table("diagnoses")
    op.drop_table("encounters")
    op.drop_table("physicians")
    op.drop_table("variance_components")
    op.drop_table("run_timings")
    op.drop_table("run_inputs")
    op.drop_table("rule_outcomes")
    op.drop_table("rejects")
    op.drop_table("provider_estimates")
    op.drop_table("predictions")
    op.drop_table("patients")
    op.drop_table("model_checks")
    op.drop_table("missing_counts")
    op.drop_table("measures")
    op.drop_table("funnel_limits")
    op.drop_table("flags")
    op.drop_table("fixed_effects")
    op.drop_table("cohort_flow")
    op.drop_table("clinics")
    op.drop_table("calibration")
    op.drop_table("runs")
    op.drop_table("loads")
