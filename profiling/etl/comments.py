"""Comments of providers on their own figures: whom they may be about, and what they may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from profiling.config import MEASURE_SOURCES, Settings
from profiling.store.attributes import record_table
from profiling.store.bulk import read_table

if TYPE_CHECKING:
    from profiling.etl.batches import Batch

SOURCE: Final = "comments"
LONGEST: Final = 2000

Checked = tuple[str, str, str, Any, Any]


def provider_columns(settings: Settings) -> dict[str, tuple[str, ...]]:
    """The columns that hold the ids of each level's providers, over all measures."""
    found: dict[str, list[str]] = {}
    for measure in settings.measures:
        for level in measure.providers:
            found.setdefault(level.level, []).append(level.column)
    return {level: tuple(dict.fromkeys(columns)) for level, columns in found.items()}


def known_providers(settings: Settings, batches: Sequence[Batch], engine: Engine | None) -> dict[str, pa.Array]:
    """Ids by level: from the rows just read where their source is among them, else from the database."""
    read = {batch.source: batch.accepted for batch in batches}
    return {
        level: pa.concat_arrays([_ids(column, read, engine) for column in columns])
        for level, columns in provider_columns(settings).items()
    }


def _ids(column: str, read: Mapping[str, pa.Table], engine: Engine | None) -> pa.Array:
    for source in MEASURE_SOURCES:
        if source in read and column in read[source].column_names:
            return pc.unique(read[source].column(column)).cast(pa.string())
        if source not in read and engine is not None:
            table = record_table(engine, source)
            if column in table.c:
                chosen = sa.select(table.c[column]).distinct()
                return read_table(engine, chosen).column(column).combine_chunks().cast(pa.string())
    return pa.array([], pa.string())


def comment_rules(typed: Mapping[str, pa.ChunkedArray], providers: Mapping[str, pa.Array]) -> Iterator[Checked]:
    """Column, kind, words, rows checked and broken: a level of the measures, one of its providers, not too long."""
    level, provider, comment = (typed[name] for name in ("level", "provider", "comment"))
    known_level = _mask(pc.is_in(level, value_set=pa.array(list(providers), pa.string())))
    there = _mask(pc.is_valid(level))
    yield "level", "allowed", f"one of {', '.join(providers)}", there, there & ~known_level
    found = np.zeros(len(level), dtype=np.bool_)
    for name, ids in providers.items():
        found |= _mask(pc.equal(level, name)) & _mask(pc.is_in(provider, value_set=ids))
    named = known_level & _mask(pc.is_valid(provider))
    yield "provider", "referential", "the id of a provider of the level with visits", named, named & ~found
    written = _mask(pc.is_valid(comment))
    long = _mask(pc.greater(pc.utf8_length(comment), LONGEST))
    yield "comment", "length", f"at most {LONGEST:,} letters", written, long


def _mask(values: Any) -> Any:
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), dtype=np.bool_)
