"""What became of a run's pages: after which run they came, what held them, and which folders hold them.

Kept as JSON in the column `output_json` of the run, so that drawing a run again prints what it printed first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from profiling.store import tables as t
from profiling.store.engine import reading
from profiling.store.runs import finish_run


@dataclass(frozen=True)
class History:
    """Of one run. `previous`: the run that was the published one before it.

    `held`: why the gate held this one; `released`: whether somebody let it pass; `folders`: name of each published
    folder and the SHA-256 of its manifest, in their order; `software`: versions of what the models were fitted with.
    `changes`: by measure and level against the previous run, as `profiling.pipeline.changes` finds them. `disclosure`:
    what is hidden, as `profiling.reporting.decision` keeps it.
    """

    previous: str | None = None
    held: tuple[str, ...] = ()
    released: bool = False
    folders: Mapping[str, str] = field(default_factory=dict)
    software: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    disclosure: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> str:
        """As it is kept."""
        return json.dumps(asdict(self))

    def with_folder(self, name: str, manifest_sha256: str) -> History:
        """The same with one more folder."""
        return replace(self, folders={**self.folders, name: manifest_sha256})


def history_of(run: Mapping[str, Any]) -> History:
    """The history kept in a row of `runs`; an empty one for a run whose pages were never asked for."""
    kept = json.loads(str(run["output_json"])) if run.get("output_json") else {}
    known = {name: kept[name] for name in History.__dataclass_fields__ if name in kept}
    return History(**(known | {"held": tuple(known.get("held", ()))}))


def again(engine: Engine, run_id: str, history: History) -> History:
    """The history of a run that is made anew: folders and disclosure of a run with this id that was published stay."""
    with reading(engine) as connection:
        row = connection.execute(sa.select(t.runs).where(t.runs.c.run_id == run_id)).mappings().first()
    former = history_of(dict(row)) if row is not None else History()
    return replace(history, folders=former.folders, disclosure=former.disclosure) if former.folders else history


def keep_history(engine: Engine, run_id: str, status: str, history: History) -> None:
    """Keep the history of a run with its status."""
    finish_run(engine, run_id, status, history.as_json())


def published_before(engine: Engine, run: Mapping[str, Any]) -> str | None:
    """The newest published run that is not younger than this one, or None."""
    newest = (
        sa.select(t.runs.c.run_id)
        .where(t.runs.c.status == "published", t.runs.c.run_id != run["run_id"])
        .where(t.runs.c.created_at <= run["created_at"])
        .order_by(t.runs.c.created_at.desc(), t.runs.c.run_id)
        .limit(1)
    )
    with reading(engine) as connection:
        return connection.execute(newest).scalar()


def run_of_folder(engine: Engine, name: str) -> tuple[str, History] | None:
    """The run whose pages stand in the folder of that name (`r-1a2b3c4d` or a later version, `r-1a2b3c4d-2`)."""
    run_id = "-".join(name.split("-")[:2])
    with reading(engine) as connection:
        row = connection.execute(sa.select(t.runs).where(t.runs.c.run_id == run_id)).mappings().first()
    return None if row is None else (run_id, history_of(dict(row)))
