"""What a finding rests on: other methods, periods, subgroups, social risk, comments; composites of measures.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _text(*names: str, nullable: bool = False) -> list[sa.Column]:
    return [sa.Column(name, TEXT, nullable=nullable) for name in names]


def _real(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Double(), nullable=True) for name in names]


def _count(*names: str, nullable: bool = False) -> list[sa.Column]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]


def _position() -> sa.Column:
    return sa.Column("position", sa.Integer(), nullable=False, autoincrement=False)


def _create(name: str, key: tuple[str, ...], *columns: sa.Column) -> None:
    """A table of results under its run."""
    op.create_table(
        name,
        *_text("run_id"),
        *columns,
        sa.PrimaryKeyConstraint("run_id", *key, name=f"pk_{name}"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=f"fk_{name}_run_id_runs", ondelete="CASCADE"),
    )


def upgrade() -> None:
    op.create_table(
        "comments",
        sa.Column("comment_id", sa.Integer(), nullable=False, autoincrement=False),
        *_text("level", "provider", "comment"),
        sa.Column("load_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("comment_id", name="pk_comments"),
        sa.ForeignKeyConstraint(
            ["load_id"], ["loads.load_id"], name="fk_comments_load_id_loads", ondelete="CASCADE"
        ),
    )
    _create(
        "provider_evidence",
        ("measure", "level", "provider"),
        *_text("measure", "level", "provider"),
        *_count("methods", "agree", nullable=True),
        *_text("dissent", nullable=True),
        *_count("events_to_higher_watch", "events_to_higher_flag", nullable=True),
        *_count("events_to_lower_watch", "events_to_lower_flag", nullable=True),
        *_real("e_value", "e_value_limit", "top_fifth", "bottom_fifth", "top_tenth", "bottom_tenth"),
        *_real("rank_set_lower", "rank_set_upper", "triple_goal"),
        *_real("effect", "effect_sd", "rule_probability", "exposure"),
        *_real("direct_rate", "direct_lower", "direct_upper"),
        *_real("difference", "difference_lower", "difference_upper", "overlap"),
        *_text("fixed_disagreement", nullable=True),
    )
    _create(
        "provider_periods",
        ("measure", "level", "provider", "position"),
        *_text("measure", "level", "provider"),
        _position(),
        *_text("period"),
        *_count("n"),
        *_real("observed", "expected", "ratio", "lower", "upper", "cusum", "cusum_limit"),
        sa.Column("signal", sa.Boolean(), nullable=True),
        *_real("cusum_lower", "cusum_lower_limit"),
        sa.Column("signal_lower", sa.Boolean(), nullable=True),
    )
    _create(
        "subgroups",
        ("measure", "position", "model"),
        *_text("measure"),
        _position(),
        *_text("model", "column_name", "value"),
        *_count("n"),
        *_real("observed", "expected", "ratio", "lower", "upper"),
    )
    _create(
        "social_risk",
        ("measure", "level", "provider"),
        *_text("measure", "level", "provider"),
        *_real("ratio_without", "ratio_with"),
        *_text("category_without", "category_with", nullable=True),
    )
    _create(
        "sensitivity",
        ("measure", "position"),
        *_text("measure"),
        _position(),
        *_text("variant", "level"),
        *_count("providers", nullable=True),
        *_real("rank_correlation"),
        *_count("flags_same", "flags_changed", nullable=True),
        *_text("note", nullable=True),
    )
    _create(
        "provider_comments",
        ("level", "provider", "position"),
        *_text("level", "provider"),
        _position(),
        *_text("comment"),
    )
    _create(
        "composites",
        ("position",),
        _position(),
        *_text("composite", "spec_json"),
        *_text("note", nullable=True),
    )
    _create(
        "composite_scores",
        ("composite", "level", "provider"),
        *_text("composite", "level", "provider"),
        *_text("provider_name", nullable=True),
        *_count("measures"),
        *_real("value", "lower", "upper", "expected_rank", "rank_lower", "rank_upper", "percentile"),
    )


def downgrade() -> None:
    op.drop_table("composite_scores")
    op.drop_table("composites")
    op.drop_table("provider_comments")
    op.drop_table("sensitivity")
    op.drop_table("social_risk")
    op.drop_table("subgroups")
    op.drop_table("provider_periods")
    op.drop_table("provider_evidence")
    op.drop_table("comments")
