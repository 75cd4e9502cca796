"""Pages as PDF by WeasyPrint, which is an extra: the same page gives the same bytes, and nothing is fetched.

A PDF stands by itself: its links are words, its figures are those of the page, its style is that of print.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from profiling.errors import ConfigurationError, Problem
from profiling.reporting.svg_resolved import resolved

EPOCH = "SOURCE_DATE_EPOCH"
LIBRARIES = "libpango-1.0-0 libpangoft2-1.0-0"
_LEFT_OUT = re.compile(
    r'<link rel="stylesheet"[^>]*>|<meta http-equiv="Content-Security-Policy"[^>]*>|<script.*?</script>', re.DOTALL
)
_LINK = re.compile(r'(<a\b[^>]*?) href="[^"]*"')

Renderer = Callable[[str], bytes]


def require_pdf() -> None:
    """Raise ConfigurationError with what to install where PDF cannot be made."""
    try:
        import weasyprint  # noqa: F401
    except ImportError:
        advice = "Install the extra: pip install 'profiling[pdf]'; or set `output: {pdf: false}`"
        raise ConfigurationError(Problem("output.pdf", "WeasyPrint is not installed", "it", advice)) from None
    except OSError:
        # The libraries it draws text with come from the system, not from a Python package.
        advice = f"On Debian: apt-get install -y {LIBRARIES}; or set `output: {{pdf: false}}`"
        raise ConfigurationError(
            Problem("output.pdf", "WeasyPrint cannot find the library Pango", "it", advice)
        ) from None


def pdf_renderer(style: str) -> Renderer:
    """What turns the text of a page into the bytes of a PDF. `style`: the whole style sheet, read once for all pages.

    Raises ConfigurationError where PDF cannot be made.
    """
    require_pdf()
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    sheet = CSS(string=style, font_config=fonts, url_fetcher=_refuse)

    def render(page: str) -> bytes:
        text = _LINK.sub(r"\1", _LEFT_OUT.sub("", resolved(page)))
        with _fixed_clock():
            made = HTML(string=text, url_fetcher=_refuse).write_pdf(
                stylesheets=[sheet],
                font_config=fonts,
                pdf_identifier=sha256(page.encode()).digest()[:16],
                pdf_tags=True,
            )
        return bytes(made)

    return render


def _refuse(url: str, *_: Any, **__: Any) -> Any:
    raise ValueError(f"a page fetches nothing, least of all {url}")


@contextmanager
def _fixed_clock() -> Iterator[None]:
    """The time that libraries write into files, unless whoever runs the program has fixed it."""
    if EPOCH in os.environ:
        yield
        return
    os.environ[EPOCH] = "0"
    try:
        yield
    finally:
        del os.environ[EPOCH]
