"""Write one edition of a run as a folder of pages, styles and downloads; complete without script or network."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment

from profiling.reporting.disclosure import MaskedRun, mask
from profiling.reporting.downloads import listing, write_downloads, write_json
from profiling.reporting.pages import audit, hospital, measure, methods, model, overview
from profiling.reporting.pages.shared import Site, build
from profiling.reporting.processes import in_processes
from profiling.reporting.sentences import say
from profiling.reporting.site_files import TIMINGS
from profiling.reporting.templating import environment
from profiling.shipped import templates_folder

if TYPE_CHECKING:
    from profiling.store.runs import RunRecord

FOLDERS = ("assets", "downloads", "hospitals", "measures", "models")
STYLES = ("chart.css", "style.css")
MOST_IN_NAVIGATION = 4
MANY_PAGES = 200
MOST_PROCESSES = 4


@dataclass(frozen=True)
class SiteSummary:
    """What was written: the first page, pages, all files and their bytes, providers, and how many are hidden."""

    index: Path
    pages: int
    files: int
    bytes: int
    providers: int
    hidden: int


def write_site(record: RunRecord, folder: Path, edition: str = "public") -> SiteSummary:
    """Write the whole site into `folder` (made if absent, else expected empty). Raises DisclosureError."""
    masked = mask(record, edition)
    site = build(masked)
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    pages = _write_pages(site, folder)
    write_downloads(site, folder / "downloads", _processes(len(masked.providers)))
    (folder / "assets" / "style.css").write_text(style_sheet(), encoding="utf-8")
    _write_timings(masked, folder / TIMINGS)
    files = [path for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    providers = masked.providers
    return SiteSummary(folder / "index.html", pages, len(files), size, len(providers), int(providers["hidden"].sum()))


def _write_pages(site: Site, folder: Path) -> int:
    write = _writer(site, environment(templates_folder()), folder)
    write(
        "index.html",
        "index.html",
        overview.context(site, [file for file in listing(site) if file["kind"] in ("table", "run")]),
    )
    write("methods.html", "methods.html", methods.context(site))
    write("audit.html", "audit.html", audit.context(site))
    for one in site.measures:
        write("measure.html", one.href, measure.context(site, one, listing(site, "../")))
        if one.modelled:
            write("model.html", one.model_href, model.context(site, one))
    _write_providers(site, write)
    return 3 + len(site.measures) + sum(one.modelled for one in site.measures) + len(site.addresses)


def _write_providers(site: Site, write: Callable[[str, str, dict[str, Any]], None]) -> None:
    """A page a provider. Many are shared out to processes; each page is the same whoever writes it."""
    prepared = tuple(hospital.prepare(site, one) for one in site.measures)
    keys = list(site.addresses)

    def some(share: list[tuple[str, str]]) -> None:
        for level, provider in share:
            write("hospital.html", site.address(level, provider), hospital.context(site, prepared, level, provider))

    processes = _processes(len(keys))
    in_processes(some, [keys[start::processes] for start in range(processes)])


def _processes(pages: int) -> int:
    """How many processes write: one for few pages."""
    return min(os.cpu_count() or 1, MOST_PROCESSES) if pages >= MANY_PAGES else 1


def _writer(site: Site, made: Environment, folder: Path) -> Callable[[str, str, dict[str, Any]], None]:
    """A function that fills a template and writes it; every page gets the frame all share."""
    shared = frame(site)

    def write(template: str, address: str, context: dict[str, Any]) -> None:
        root = "../" * address.count("/")
        text = made.get_template(template).render(**shared, root=root, **context)
        (folder / address).write_text(text, encoding="utf-8", errors="replace")

    return write


def style_sheet() -> str:
    """The one style sheet: colours and charts, then pages."""
    return "\n".join((templates_folder() / name).read_text(encoding="utf-8") for name in STYLES)


def frame(site: Site) -> dict[str, Any]:
    """What every page prints around its own content."""
    run = site.masked.run
    return {
        "site_title": str(run["title"]),
        "run": run,
        "inputs": site.masked.inputs.to_dict("records"),
        "navigation": _navigation(site),
        "disclosure_note": say("disclosure", most=site.masked.threshold - 1, provider="provider")
        if site.masked.threshold > 1
        else say("disclosure_none"),
    }


def _navigation(site: Site) -> list[dict[str, str]]:
    measures = [{"href": one.href, "text": one.title} for one in site.measures[:MOST_IN_NAVIGATION]]
    return [
        {"href": "index.html", "text": "Overview"},
        *measures,
        {"href": "methods.html", "text": "Methods"},
        {"href": "audit.html", "text": "Audit"},
    ]


def _write_timings(masked: MaskedRun, path: Path) -> None:
    seconds = masked.timings
    write_json(dict(zip(seconds["stage"], seconds["seconds"], strict=True)) if len(seconds) else {}, path)
