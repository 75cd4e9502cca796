"""What already stands in the database: which files it holds, and the ids that new rows may refer to."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from profiling.config import RECORD_IDS
from profiling.etl.batches import RuleOutcome
from profiling.store import tables as t
from profiling.store.bulk import read_frame, read_table


@dataclass(frozen=True)
class Standing:
    """The current loads, their rules' outcomes, the ids of accepted records and the dates of birth."""

    loads: pd.DataFrame = field(default_factory=pd.DataFrame)
    outcomes: pd.DataFrame = field(default_factory=pd.DataFrame)
    ids: dict[str, pa.Array] = field(default_factory=dict)
    births: pa.Table | None = None

    @property
    def sources(self) -> set[str]:
        """Sources of which rows stand."""
        return set() if self.loads.empty else set(self.loads["source"])

    def holds(self, source: str, marks: tuple[str, ...], declaration: str) -> bool:
        """Whether exactly these files stand, read under this declaration."""
        own = self._of(source)
        return len(own) > 0 and tuple(own["sha256"]) == marks and set(own["declaration_sha256"]) == {declaration}

    def counts(self, source: str) -> tuple[int, int, int]:
        """Rows read, accepted and rejected."""
        own = self._of(source)
        read, accepted, rejected = (int(own[f"rows_{kind}"].sum()) for kind in ("read", "accepted", "rejected"))
        return read, accepted, rejected

    def rules(self, source: str) -> tuple[RuleOutcome, ...]:
        """The outcome of each rule when the source was loaded."""
        own = self.outcomes[self.outcomes["source"] == source]
        return tuple(
            RuleOutcome(rule, column, "", int(checked), int(broken))
            for rule, column, checked, broken in own.drop(columns="source").itertuples(index=False, name=None)
        )

    def _of(self, source: str) -> pd.DataFrame:
        return self.loads if self.loads.empty else self.loads[self.loads["source"] == source]


def read_standing(engine: Engine) -> Standing:
    """Read what stands in a migrated database."""
    loads = read_frame(engine, sa.select(t.loads).where(t.loads.c.is_current).order_by(t.loads.c.load_id))
    if loads.empty:
        return Standing()
    ids = {
        name: read_table(engine, sa.select(t.RECORDS[name].c[key])).column(key).combine_chunks()
        for name, key in RECORD_IDS.items()
    }
    births = read_table(engine, sa.select(t.patients.c.patient_id, t.patients.c.birth_date))
    return Standing(loads, read_frame(engine, _outcomes()), ids, births)


def _outcomes() -> sa.Select[tuple[str, str, str, int, int]]:
    rule = t.rule_outcomes.c
    return (
        sa.select(
            t.loads.c.source,
            rule.rule_id,
            rule.column_name,
            sa.cast(sa.func.sum(rule.rows_checked), sa.BigInteger).label("checked"),
            sa.cast(sa.func.sum(rule.rows_broken), sa.BigInteger).label("broken"),
        )
        .join_from(t.rule_outcomes, t.loads)
        .where(t.loads.c.is_current)
        .group_by(t.loads.c.source, rule.rule_id, rule.column_name)
        .order_by(t.loads.c.source, rule.rule_id)
    )
