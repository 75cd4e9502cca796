"""A source as one batch: all its files read and judged together, and what became of every row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from profiling.config import Settings
from profiling.errors import Problem
from profiling.etl.casting import Mask
from profiling.etl.columns import Column, columns_of
from profiling.etl.comments import SOURCE as COMMENTS
from profiling.etl.comments import provider_columns
from profiling.etl.reading import FileText, Unreadable, read_file
from profiling.etl.rules import Judged, judge

_LISTED = 3


@dataclass(frozen=True)
class RuleOutcome:
    """How a rule fared: rows it judged and rows that broke it."""

    rule_id: str
    column: str | None
    expected: str
    checked: int
    broken: int


@dataclass(frozen=True)
class FileOutcome:
    """What became of one file's rows. `rejects`: rule_id, source_row, column_name, by row and rule."""

    file: FileText
    accepted: pa.Table
    rows_rejected: int
    rules: tuple[RuleOutcome, ...]
    rejects: pa.Table


@dataclass(frozen=True)
class Batch:
    """One source, read and judged. `place` gives for each row of the judged table the index of its file."""

    source: str
    columns: tuple[Column, ...]
    reject_above: float
    files: tuple[FileText, ...]
    judged: Judged
    place: npt.NDArray[np.int64]

    @cached_property
    def outcomes(self) -> tuple[FileOutcome, ...]:
        """The outcome of each file."""
        rejected = self.judged.rejected
        return tuple(self._outcome(index, file, rejected) for index, file in enumerate(self.files))

    @property
    def rows_read(self) -> int:
        """Data rows of all files."""
        return sum(file.rows_read for file in self.files)

    @property
    def rows_rejected(self) -> int:
        """Distinct rejected rows of all files."""
        return sum(outcome.rows_rejected for outcome in self.outcomes)

    @property
    def accepted(self) -> pa.Table:
        """All accepted rows."""
        return self.judged.accepted

    @property
    def rules(self) -> tuple[RuleOutcome, ...]:
        """The outcome of each rule over all files."""
        groups = zip(*(outcome.rules for outcome in self.outcomes), strict=True)
        return tuple(_sum(group) for group in groups)

    def _outcome(self, index: int, file: FileText, rejected: Mask) -> FileOutcome:
        here = self.place == index
        fields = RuleOutcome(
            f"{self.source}.row.fields",
            None,
            "as many fields as the header",
            file.rows_read,
            len(file.ragged),
        )
        rules = [
            RuleOutcome(
                finding.rule_id,
                finding.column,
                finding.expected,
                int((finding.checked & here).sum()),
                int((finding.broken & here).sum()),
            )
            for finding in self.judged.findings
        ]
        return FileOutcome(
            file,
            self.judged.table.filter(pa.array(here & ~rejected)),
            int((rejected & here).sum()) + len(file.ragged),
            (fields, *rules),
            self._rejects(fields.rule_id, file, here),
        )

    def _rejects(self, fields: str, file: FileText, here: Mask) -> pa.Table:
        parts: list[tuple[str, str | None, npt.NDArray[np.int64]]] = [(fields, None, file.ragged)]
        parts += [(found.rule_id, found.column, file.rows[found.broken[here]]) for found in self.judged.findings]
        rows = np.concatenate([rows for _, _, rows in parts])
        lengths = [len(rows) for _, _, rows in parts]
        # Rules are numbered in the order in which they are applied, row after row.
        which = np.repeat(np.arange(len(parts)), lengths)
        order = np.lexsort((which, rows))
        rule = pa.array([name for name, _, _ in parts], pa.string()).take(pa.array(which[order]))
        column = pa.array([name for _, name, _ in parts], pa.string()).take(pa.array(which[order]))
        return pa.table({"rule_id": rule, "source_row": rows[order], "column_name": column})


def read_batch(
    settings: Settings,
    name: str,
    known: Mapping[str, pa.Array],
    births: pa.Table | None,
    providers: Mapping[str, pa.Array] | None = None,
) -> Batch:
    """Read and judge a source (see `judge`). Raises Unreadable with the problems of all its files."""
    source = settings.sources[name]  # type: ignore[index]
    columns = columns_of(name, source)
    files: list[FileText] = []
    problems: list[Problem] = []
    for path in source.files:
        try:
            files.append(read_file(path, columns, f"sources.{name}"))
        except Unreadable as error:
            problems += error.problems
    if problems:
        raise Unreadable(*problems)
    place = np.repeat(np.arange(len(files)), [len(file.rows) for file in files])
    text = pa.concat_tables([file.table for file in files], promote_options="default")
    if len(files) > 1 and any(column.row_number for column in columns):
        text = _renumbered(text, columns)
    judged = judge(name, text, columns, known, births, providers)
    # A report is not withheld because somebody's comment is too long, unless that is asked for.
    lenient = name == COMMENTS and "reject_above" not in source.model_fields_set
    return Batch(name, columns, 1.0 if lenient else source.reject_above, tuple(files), judged, place)


def declaration(settings: Settings, name: str) -> str:
    """A fingerprint of how the configuration reads a source: with another, a known file is loaded anew."""
    source = settings.sources[name]  # type: ignore[index]
    said: dict[str, object] = {
        "columns": [asdict(column) for column in columns_of(name, source)],
        "reject_above": source.reject_above,
        "sources": sorted(settings.sources),
    }
    if name == COMMENTS:
        said["levels"] = provider_columns(settings)
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def refusals(batch: Batch) -> list[Problem]:
    """Why a batch cannot be loaded: more rejected rows than allowed, or no row left."""
    if batch.rows_rejected == batch.rows_read and batch.source != COMMENTS:
        expected = "at least one row that breaks no rule"
    elif batch.rows_rejected > batch.reject_above * batch.rows_read:
        expected = f"at most {batch.reject_above:.3g} of the rows (reject_above)"
    else:
        return []
    broken = sorted((rule for rule in batch.rules if rule.broken), key=lambda rule: (-rule.broken, rule.rule_id))
    listed = "; ".join(
        f"rule {rule.rule_id} broken by {rule.broken:,} of {rule.checked:,} rows"
        + (f" (column {rule.column!r} takes {rule.expected})" if rule.column else f" ({rule.expected})")
        for rule in broken[:_LISTED]
    )
    share = batch.rows_rejected / batch.rows_read
    found = f"{batch.rows_rejected:,} of {batch.rows_read:,} rows rejected ({share:.1%}): {listed}"
    advice = f"Correct {_names(batch)}, the rule under columns, or reject_above"
    return [Problem(f"sources.{batch.source}", found, expected, advice)]


def _names(batch: Batch) -> str:
    return ", ".join(file.path.name for file in batch.files)


def _renumbered(text: pa.Table, columns: tuple[Column, ...]) -> pa.Table:
    """Generated ids of several files go on from one file to the next."""
    numbered = next(column.name for column in columns if column.row_number)
    place = text.column_names.index(numbered)
    ids = pa.array(np.arange(1, text.num_rows + 1)).cast(pa.string())
    return text.set_column(place, numbered, ids)


def _sum(group: tuple[RuleOutcome, ...]) -> RuleOutcome:
    first = group[0]
    checked, broken = sum(rule.checked for rule in group), sum(rule.broken for rule in group)
    return RuleOutcome(first.rule_id, first.column, first.expected, checked, broken)
