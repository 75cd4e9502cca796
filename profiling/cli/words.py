"""Results of commands in words for people, and as documents for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from profiling.cli.console import table
from profiling.cli.options import shown

if TYPE_CHECKING:
    from profiling.etl import LoadReport
    from profiling.pipeline import Published

CATEGORIES = {
    "higher": "higher",
    "higher_watch": "watch (higher)",
    "as_expected": "as expected",
    "lower_watch": "watch (lower)",
    "lower": "lower",
    "too_few": "too few cases",
}


def load_document(loaded: LoadReport) -> dict[str, Any]:
    """What a load read, accepted and rejected, as values."""
    return {
        "sources": [
            {
                "source": part.source,
                "rows_read": part.rows_read,
                "rows_accepted": part.rows_accepted,
                "rows_rejected": part.rows_rejected,
                "already_loaded": part.already_loaded,
            }
            for part in loaded.sources
        ]
    }


def load_lines(loaded: LoadReport) -> list[str]:
    """What a load read, accepted and rejected, as a table."""
    rows: list[tuple[object, ...]] = [("records", "read", "accepted", "rejected", "")]
    rows += [
        (
            part.source,
            f"{part.rows_read:,}",
            f"{part.rows_accepted:,}",
            f"{part.rows_rejected:,}",
            "already loaded" if part.already_loaded else "",
        )
        for part in loaded.sources
    ]
    return table(rows, right=(1, 2, 3))


def published_document(published: Published) -> dict[str, Any]:
    """How a run ended, as values."""
    return {
        "run": published.run_id,
        "page": str(published.page),
        "records": {
            source: {"read": read, "loaded": read - rejected, "rejected": rejected}
            for source, (read, rejected) in published.records.items()
        },
        "providers": published.providers,
        "flags": [
            {"measure": measure, "level": level, **counts} for (measure, level), counts in published.flags.items()
        ],
        "seconds": {stage: round(seconds, 3) for stage, seconds in published.seconds.items()},
    }


def published_lines(published: Published) -> list[str]:
    """How a run ended: records, providers, flags, seconds a stage and the first page."""
    records = [("records", "loaded", "rejected")]
    records += [(name, f"{read - bad:,}", f"{bad:,}") for name, (read, bad) in published.records.items()]
    flags: list[tuple[object, ...]] = [("flags", "of", *CATEGORIES.values())]
    flags += [
        (measure, level, *(counts.get(category, 0) for category in CATEGORIES))
        for (measure, level), counts in published.flags.items()
    ]
    return [
        f"Run {published.run_id}",
        *("", *table(records, right=(1, 2))),
        *("", "providers  " + ", ".join(f"{level} {count:,}" for level, count in published.providers.items())),
        *("", *table(flags, right=range(2, 8))),
        *(
            "",
            "seconds    " + ", ".join(f"{stage} {value:.1f}" for stage, value in published.seconds.items()),
        ),
        *("", f"First page: {shown(published.page)}"),
    ]
