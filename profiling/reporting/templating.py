"""Jinja2 set up for pages: autoescape always on, an undefined name is an error, templates compiled once."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from profiling.reporting import numbers, sentences
from profiling.reporting.sentences.catalogue import ENGLISH

CHOSEN = (
    "integer", "decimal", "amount", "ratio", "interval", "interval_text", "estimate", "percent", "chance",
    "few", "in_words", "rank_interval", "day", "moment", "short_hash",
)  # fmt: skip
GLYPHS = {
    "higher": '<path class="higher" d="M7 1.4L13 12H1Z"/>',
    "higher_watch": '<path class="higher_watch" d="M7 2.8L11.8 11.4H2.2Z"/>',
    "as_expected": '<circle class="as_expected" cx="7" cy="7" r="3.4"/>',
    "lower_watch": '<path class="lower_watch" d="M7 11.2L2.2 2.6H11.8Z"/>',
    "lower": '<path class="lower" d="M7 12.6L1 2H13Z"/>',
    "too_few": '<path class="too_few" d="M3 7H11"/>',
}

# Another word for the same mark: limits that were widened leave in what plain ones would not.
ALIASES = {"usual_spread": "as_expected"}


def glyph(category: str) -> Markup:
    """The shape of a category, hidden from screen readers because its word always stands beside it."""
    head = '<svg class="chart glyph" aria-hidden="true">'
    return Markup(head + GLYPHS[ALIASES.get(category, category)] + "</svg>")


def policy_hash(script: str) -> str:
    """What the Content-Security-Policy calls an inline script: the base64 of its SHA-256."""
    return f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}"


def spoken(prefix: str, text: str) -> str:
    """A script or a style sheet with the words that stand in it in the current language."""
    for key in (key for key in ENGLISH if key.startswith(prefix)):
        text = text.replace(ENGLISH[key], sentences.CATALOGUE[key])
    return text


def environment(folder: Path) -> Environment:
    """The environment of all pages; `folder` holds the templates."""
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        keep_trailing_newline=True,
    )
    made.filters.update({name: getattr(numbers, name) for name in CHOSEN})
    made.filters.update(capital=sentences.capital, plural=sentences.plural)
    made.filters.update(uncapital=sentences.uncapital, stored=sentences.stored)
    script = spoken("script_", (folder / "site.js").read_text(encoding="utf-8"))
    made.globals.update(script=Markup(script), script_hash=policy_hash(script))
    made.globals.update(glyph=glyph, statuses=list(GLYPHS), words=sentences.CATALOGUE, say=sentences.say)
    return made
