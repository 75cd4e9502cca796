"""Pages as PDF: the same bytes, the colours of print, no address, and friendly words where it cannot be made."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from reporting_fixture import simulated_run

from profiling.errors import ConfigurationError
from profiling.reporting.chart import Chart, Mark, Text
from profiling.reporting.pdf import EPOCH, pdf_renderer, require_pdf
from profiling.reporting.presentation import Presentation
from profiling.reporting.roles import PRINT
from profiling.reporting.site import write_site
from profiling.reporting.svg import render_forms
from profiling.reporting.svg_resolved import resolved

try:
    require_pdf()
    MISSING = ""
except ConfigurationError as error:
    MISSING = str(error)
needs_pdf = pytest.mark.skipif(bool(MISSING), reason=MISSING or "present")

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<link rel="stylesheet" href="../assets/style.css"></head>
<body><h1>Åshwick had more deaths</h1><p><a href="../hospitals/x.html">Åshwick</a></p>{}
<script>alert(1)</script></body></html>"""


def chart(form: str) -> Chart:
    items = (Mark(30, 30, "up", "higher", 5, "t", "../hospitals/x.html"), Text(5, 50, "words", "note", halo=True))
    return Chart("any", "A title", "says", 60, 60, items, form)  # type: ignore[arg-type]


def page() -> str:
    return PAGE.format(render_forms([chart("wide"), chart("narrow")], "c"))


def test_charts_get_the_colours_of_print_and_one_form() -> None:
    text = resolved(page())
    assert 'id="c-narrow"' not in text
    assert f'fill="{PRINT["high"]}" stroke="none"' in text
    assert f'fill="{PRINT["ink2"]}" stroke="none"' in text
    drawing = text[text.index("<svg") : text.index("</svg>")]
    assert "class=" not in drawing.partition(">")[2]
    assert not re.search(r"var\(", drawing)


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(
        ConfigurationError, match=r"output.pdf: WeasyPrint is not installed.*pip install 'profiling\[pdf\]'"
    ):
        write_site(
            simulated_run(hospitals=2, physicians_each=1, rows=400), tmp_path, presentation=Presentation(pdf=True)
        )


@needs_pdf
def test_the_same_page_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page(), encoding="utf-8")
    program = (
        "import sys; from pathlib import Path; from profiling.reporting.pdf import pdf_renderer;"
        "sys.stdout.buffer.write(pdf_renderer('h1{color:red}')(Path(sys.argv[1]).read_text(encoding='utf-8')))"
    )
    made = [
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "page.html")],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
            check=True,
            capture_output=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    ]
    assert made[0] == made[1] == pdf_renderer("h1{color:red}")(page())
    assert EPOCH not in os.environ


@needs_pdf
def test_a_pdf_holds_no_address_no_time_and_no_script() -> None:
    made = pdf_renderer("")(page())
    text = made + b"".join(_streams(made))
    for unwanted in (b"file:", b"hospitals/x", b"/CreationDate", b"/ModDate", b"/JavaScript", b"/tmp", b"alert"):
        assert unwanted not in text, unwanted
    assert b"/MarkInfo" in text
    assert b"/Lang" in text


def _streams(made: bytes) -> list[bytes]:
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", made, re.DOTALL):
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:
            found.append(stream)
    return found


@needs_pdf
def test_overview_measures_and_providers_are_printed_and_their_pages_lead_there(tmp_path: Path) -> None:
    write_site(simulated_run(hospitals=2, physicians_each=1, rows=900), tmp_path, presentation=Presentation(pdf=True))
    papers = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.pdf")}
    papers = {name for name in papers if not name.startswith("downloads/")}
    expected = {"index.pdf", "measures/mortality_30d.pdf", "measures/length_of_stay.pdf"}
    assert expected | {f"hospitals/{p.stem}.pdf" for p in (tmp_path / "hospitals").glob("*.html")} == papers
    assert len(papers) == 5
    for name in papers:
        html = (tmp_path / name).with_suffix(".html").read_text(encoding="utf-8")
        assert f'<a href="{name.rpartition("/")[2]}">This page as PDF</a>' in html
        assert (tmp_path / name).read_bytes().startswith(b"%PDF")


@needs_pdf
def test_the_pdfs_of_a_site_written_twice_have_the_same_bytes(tmp_path: Path) -> None:
    record, made = simulated_run(hospitals=2, physicians_each=1, rows=900), []
    for name in ("one", "two"):
        write_site(record, tmp_path / name, presentation=Presentation(pdf=True))
        made.append({p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*.pdf")})
    assert made[0] == made[1]
    assert len(made[0]) > 5
