"""The page of the audit: what a run was made from, by which rules and programs, and how to check it."""

from __future__ import annotations

from typing import Any

from profiling.reporting import numbers, sentences
from profiling.reporting.audit_trail import redacted
from profiling.reporting.disclosure import clean
from profiling.reporting.pages.shared import Site, each, nouns
from profiling.reporting.site_files import MANIFEST, TIMINGS


def context(site: Site) -> dict[str, Any]:
    """What the template of the audit prints."""
    masked = site.masked
    table = bool(site.measures) and not any(measure.modelled for measure in site.measures)
    return {
        "page": {"title": sentences.say("nav_audit"), "section": "audit.html"},
        "headline": sentences.say("audit_headline"),
        "lede": sentences.say("audit_lede"),
        "facts": _facts(site),
        "files": [_input(row, masked.threshold) for row in each(masked.inputs)],
        "rules": _rules(site),
        "before": [] if table else _before(site),
        "table": _table(site) if table else None,
        "software": [{"name": clean(name), "version": clean(value)} for name, value in masked.history.software.items()],
        "measures": [_measure(site, index) for index in range(len(site.measures))],
        "configuration": _settings(site) if table else clean(redacted(masked.configuration)),
        "config_sha256": str(masked.run["config_sha256"]),
        "manifest": MANIFEST,
        "timings": TIMINGS,
    }


def _facts(site: Site) -> list[dict[str, str]]:
    run = site.masked.run
    facts = {
        sentences.say("fact_run"): str(run["run_id"]),
        sentences.say("fact_made"): numbers.moment(run["created_at"]),
        "profiling": str(run["version"]),
        sentences.say("fact_seed"): str(run["seed"]),
        sentences.say("fact_hidden"): f"1–{site.masked.threshold - 1}"
        if site.masked.threshold > 1
        else sentences.say("none_of"),
        sentences.say("fact_edition"): sentences.stored(site.masked.edition),
    }
    return [{"name": name, "value": value} for name, value in facts.items()]


def _input(row: Any, threshold: int) -> dict[str, str]:
    few = bool(row.few_rejected)
    return {
        "source": str(row.source),
        "file": clean(row.file_name),
        "sha256": str(row.sha256),
        "read": numbers.integer(row.rows_read),
        "accepted": sentences.say("audit_all_but_few") if few else numbers.integer(row.rows_accepted),
        "rejected": f"1–{threshold - 1}" if few else numbers.integer(row.rows_rejected),
    }


def _rules(site: Site) -> list[dict[str, Any]]:
    """Rules that broke anywhere, then how many were kept by all rows, a group a source."""
    rules, most = site.masked.rules, site.masked.threshold - 1
    groups, rule = [], sentences.level_noun("rule")
    for source, rows in rules.groupby("source", sort=True):
        broken = rows[rows["rows_broken"].isna() | (rows["rows_broken"] > 0)]
        kept = len(rows) - len(broken)
        groups.append(
            {
                "source": str(source),
                "rows": [
                    {
                        "rule": clean(row.rule_id),
                        "column": clean(row.column_name)
                        if isinstance(row.column_name, str)
                        else sentences.say("audit_whole_row"),
                        "broken": f"1–{most}"
                        if row.few
                        else sentences.say("not_shown")
                        if row.withheld
                        else numbers.integer(row.rows_broken),
                    }
                    for row in each(broken)
                ],
                "kept": sentences.say("audit_kept", rules=sentences.counted(kept, rule, capital=True)) if kept else "",
            }
        )
    return groups


def _before(site: Site) -> list[str]:
    """After which run this one came, and what the gate said."""
    history, told = site.masked.history, []
    if history.previous:
        told.append(sentences.say("audit_previous", previous=history.previous, run=site.masked.run["run_id"]))
    else:
        told.append(sentences.say("audit_first"))
    if history.held and history.released:
        told.append(
            sentences.say(
                "audit_released", reasons=sentences.listed([sentences.stored(clean(text)) for text in history.held])
            )
        )
    elif history.previous:
        told.append(sentences.say("audit_passed"))
    return told


def _settings(site: Site) -> str:
    """What the command was told, a line a setting."""
    measure = site.measures[0]
    flag = measure.spec["flag"]
    told = {
        "title": measure.title,
        "event": measure.event,
        "level": measure.outer,
        "higher is worse": "yes" if measure.spec["direction"] == "higher_is_worse" else "no",
        "rule": flag["rule"],
        "limits": f"{flag['watch']} and {flag['flag']}",
        "overdispersion": flag.get("overdispersion") or "none",
        "minimum cases": measure.spec["minimum_cases"],
        "counts hidden": f"1 to {site.masked.threshold - 1}" if site.masked.threshold > 1 else "none",
    }
    return "\n".join(f"{name}: {clean(value)}" for name, value in told.items())


def _table(site: Site) -> dict[str, Any]:
    """What stands in place of cohort and SQL where a published table was assessed."""
    measure = site.measures[0]
    rows, totals = measure.providers[measure.outer], measure.totals
    expected = rows["expected_marginal"].sum() if not rows["hidden"].any() else None
    figures = (
        (sentences.capital(nouns(measure.outer)), numbers.integer(len(rows))),
        (sentences.say("head_cases"), numbers.integer(totals.cases) if totals.cases else sentences.say("not_shown")),
        (
            sentences.capital(measure.event),
            numbers.integer(totals.observed) if totals.observed is not None else sentences.say("not_shown"),
        ),
        (
            sentences.say("head_expected"),
            numbers.amount(expected) if expected is not None else sentences.say("not_shown"),
        ),
    )
    moment = site.masked.run["created_at"]
    command = ["profiling assess", str(site.masked.inputs["file_name"].iloc[0]), "--now", _iso(moment)]
    return {
        "href": measure.href,
        "title": measure.title,
        "figures": [{"name": name, "value": value} for name, value in figures],
        "columns": sentences.say("audit_table_columns"),
        "judged": sentences.say("audit_table_judged"),
        "check": sentences.say("audit_table_check"),
        "command": clean(" ".join(command)),
    }


def _iso(moment: Any) -> str:
    return str(moment.isoformat() if hasattr(moment, "isoformat") else moment)


def _measure(site: Site, index: int) -> dict[str, Any]:
    measure = site.measures[index]
    row = site.masked.measures.set_index("measure").loc[measure.name]
    levels = [f"{nouns(level)}: {numbers.integer(len(measure.providers[level]))}" for level in measure.levels]
    return {
        "title": measure.title,
        "href": measure.href,
        "model": measure.model_href if measure.modelled else "",
        "levels": ", ".join(levels),
        "formula": clean(row["formula"]) if row["formula"] else "",
        "sql": clean(row["cohort_sql"]) if row["cohort_sql"] else "",
    }
