"""What two runs have in common: the counts each found, and which records came and went between them."""

from __future__ import annotations

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from profiling.store import tables as t
from profiling.store.bulk import read_frame
from profiling.store.engine import reading


def published_runs(engine: Engine, but: str) -> list[str]:
    """The ids of all published runs other than `but`, oldest first."""
    chosen = (
        sa.select(t.runs.c.run_id)
        .where(t.runs.c.status == "published", t.runs.c.run_id != but)
        .order_by(t.runs.c.created_at, t.runs.c.run_id)
    )
    with reading(engine) as connection:
        return [str(row) for row in connection.execute(chosen).scalars()]


def changed_records(engine: Engine, former: str, later: str, measure: str) -> tuple[pd.DataFrame, int]:
    """Records of a measure that only one of two runs has, and how many both have.

    The frame has outer_provider, inner_provider (may be null), came and went: numbers of records. A record that is
    another provider's in the later run went from one and came to the other.
    """
    went, kept = _missing(engine, former, later, measure)
    came, _ = _missing(engine, later, former, measure)
    key = ["outer_provider", "inner_provider"]
    parts = [frame.rename(columns={"records": name}) for frame, name in ((came, "came"), (went, "went"))]
    table = pd.concat(parts).fillna({"came": 0, "went": 0})
    summed = table.groupby(key, dropna=False, sort=True)[["came", "went"]].sum().reset_index()
    return summed, kept


def _missing(engine: Engine, one: str, other: str, measure: str) -> tuple[pd.DataFrame, int]:
    """Records of `one` that `other` lacks, by provider; and how many it has."""
    mine, theirs = t.predictions.alias("mine"), t.predictions.alias("theirs")
    same_inner = sa.or_(
        mine.c.inner_provider == theirs.c.inner_provider,
        sa.and_(mine.c.inner_provider.is_(None), theirs.c.inner_provider.is_(None)),
    )
    match = sa.and_(
        theirs.c.run_id == other,
        theirs.c.measure == measure,
        theirs.c.encounter_id == mine.c.encounter_id,
        theirs.c.outer_provider == mine.c.outer_provider,
        same_inner,
    )
    lacking = sa.case((theirs.c.encounter_id.is_(None), 1), else_=0)
    keys = (mine.c.outer_provider, mine.c.inner_provider)
    counts = (sa.func.count().label("all_records"), sa.cast(sa.func.sum(lacking), sa.BigInteger).label("records"))
    chosen = (
        sa.select(*keys, *counts)
        .select_from(mine.outerjoin(theirs, match))
        .where(mine.c.run_id == one, mine.c.measure == measure)
        .group_by(*keys)
        .order_by(*keys)
    )
    found = read_frame(engine, chosen)
    kept = int(found["all_records"].sum() - found["records"].sum()) if len(found) else 0
    return found[found["records"] > 0].drop(columns="all_records"), kept
