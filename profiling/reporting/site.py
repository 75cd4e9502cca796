"""Write one edition of a run as a folder of pages, styles and downloads; complete without script or network."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment

from profiling.reporting.disclosure import MaskedRun, mask
from profiling.reporting.downloads import listing, write_downloads, write_json
from profiling.reporting.language import speaking
from profiling.reporting.pages import audit, directory, hospital, measure, methods, model, overview
from profiling.reporting.pages.provider_table import provider_table
from profiling.reporting.pages.shared import INNER_PAGES, OUTER_PAGES, Site, build
from profiling.reporting.pdf import pdf_renderer
from profiling.reporting.presentation import PLAIN, Presentation
from profiling.reporting.processes import in_processes
from profiling.reporting.sentences import level_noun, say
from profiling.reporting.site_files import TIMINGS
from profiling.reporting.templating import environment, spoken
from profiling.shipped import templates_folder

if TYPE_CHECKING:
    from profiling.store.runs import RunRecord

FOLDERS = ("assets", "downloads", OUTER_PAGES, "measures", "models")
STYLES = ("chart.css", "style.css")
PAPER = "pdf.css"
PRINTED = ("index.html", "measure.html", "hospital.html")
MOST_IN_NAVIGATION = 4
MANY_PAGES = 200
MANY_PAPERS = 8
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


def write_site(
    record: RunRecord, folder: Path, edition: str = "public", presentation: Presentation = PLAIN
) -> SiteSummary:
    """Write the whole site into `folder` (made if absent, else expected empty).

    Raises DisclosureError, and ConfigurationError where PDF is asked for and cannot be made.
    """
    with speaking(presentation.language):
        return _write_site(record, folder, edition, presentation)


def _write_site(record: RunRecord, folder: Path, edition: str, presentation: Presentation) -> SiteSummary:
    masked = mask(record, edition)
    site = build(masked, inner_pages=presentation.physician_pages)
    for name in (*FOLDERS, INNER_PAGES) if site.inner_pages else FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    pages = _write_pages(site, folder, presentation)
    write_downloads(site, folder / "downloads", _processes(len(masked.providers)))
    (folder / "assets" / "style.css").write_text(style_sheet(), encoding="utf-8")
    _write_timings(masked, folder / TIMINGS)
    files = [path for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    providers = masked.providers
    return SiteSummary(folder / "index.html", pages, len(files), size, len(providers), int(providers["hidden"].sum()))


@dataclass(frozen=True)
class Page:
    """A page to be written: template, address from the top of the site, and what gives the template its context."""

    template: str
    address: str
    context: Callable[[], dict[str, Any]]


def pages_of(site: Site) -> Iterator[Page]:
    """Every page of a site; nothing is computed for a page before its context is asked for."""
    names = directory.directory(site)
    files = [file for file in listing(site) if file["kind"] in ("table", "run")]
    yield Page("index.html", "index.html", partial(overview.context, site, names, files))
    yield Page("methods.html", "methods.html", partial(methods.context, site))
    yield Page("audit.html", "audit.html", partial(audit.context, site))
    for number in range(1, names.pages.number + 1) if names.apart else ():
        yield Page("directory.html", names.address(number), partial(names.context, number))
    for one in site.measures:
        table = provider_table(site, one)
        yield Page("measure.html", one.href, partial(measure.context, site, one, table, listing(site, "../")))
        if one.modelled:
            yield Page("model.html", one.model_href, partial(model.context, site, one))
        for number in range(2, table.pages.number + 1):
            yield Page("providers.html", table.address(number), partial(table.context, number))
    views = [view for one in site.measures if site.inner_pages and (view := one.within())]
    prepared = tuple(hospital.prepare(site, view) for view in (*site.measures, *views))
    for level, provider in site.addresses:
        made = partial(hospital.context, site, prepared, level, provider)
        yield Page("hospital.html", site.address(level, provider), made)
        for address, further in hospital.further(site, prepared, level, provider):
            yield Page("inner.html", address, further)


def _write_pages(site: Site, folder: Path, presentation: Presentation) -> int:
    """Write every page. Many are shared out to processes; each page is the same whoever writes it."""
    write = _writer(site, environment(templates_folder()), folder, presentation)
    pages = list(pages_of(site))

    def some(share: list[Page]) -> None:
        for page in share:
            write(page)

    processes = _processes(len(pages), MANY_PAPERS if presentation.pdf else MANY_PAGES)
    in_processes(some, [pages[start::processes] for start in range(processes)])
    return len(pages)


def _processes(pages: int, many: int = MANY_PAGES) -> int:
    """How many processes write: one for few pages."""
    return min(os.cpu_count() or 1, MOST_PROCESSES) if pages >= many else 1


def _writer(site: Site, made: Environment, folder: Path, presentation: Presentation = PLAIN) -> Callable[[Page], None]:
    """A function that fills a template and writes it, as PDF too where asked; every page gets the frame all share."""
    shared = frame(site)
    as_pdf = pdf_renderer(f"{style_sheet()}\n{_text(PAPER)}") if presentation.pdf else None

    def write(page: Page) -> None:
        root = "../" * page.address.count("/")
        target = folder / page.address
        printed = target.with_suffix(".pdf") if as_pdf and page.template in PRINTED else None
        name = printed.name if printed else ""
        text = made.get_template(page.template).render(**shared, root=root, pdf_href=name, **page.context())
        target.write_text(text, encoding="utf-8", errors="replace")
        if as_pdf and printed:
            printed.write_bytes(as_pdf(text))

    return write


def style_sheet() -> str:
    """The one style sheet: colours and charts, then pages."""
    return spoken("style_", "\n".join(map(_text, STYLES)))


def _text(name: str) -> str:
    return (templates_folder() / name).read_text(encoding="utf-8")


def frame(site: Site) -> dict[str, Any]:
    """What every page prints around its own content."""
    run = site.masked.run
    return {
        "site_title": str(run["title"]),
        "run": run,
        "inputs": site.masked.inputs.to_dict("records"),
        "navigation": _navigation(site),
        "disclosure_note": say("disclosure", most=site.masked.threshold - 1, provider=level_noun("provider"))
        if site.masked.threshold > 1
        else say("disclosure_none"),
    }


def _navigation(site: Site) -> list[dict[str, str]]:
    measures = [{"href": one.href, "text": one.title} for one in site.measures[:MOST_IN_NAVIGATION]]
    return [
        {"href": "index.html", "text": say("nav_overview")},
        *measures,
        {"href": "methods.html", "text": say("nav_methods")},
        {"href": "audit.html", "text": say("nav_audit")},
    ]


def _write_timings(masked: MaskedRun, path: Path) -> None:
    seconds = masked.timings
    write_json(dict(zip(seconds["stage"], seconds["seconds"], strict=True)) if len(seconds) else {}, path)
