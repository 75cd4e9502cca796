"""Numbers as people read them: one place for rounding, thousands, intervals, chances and bands.

Estimates come first and their interval stands beside them, "1.24 (1.00–1.54)"; a chance is "1 in 500", two figures
at most; numbers to twelve are words in running text. A missing number is a dash, never an empty cell or "nan".
"""

from __future__ import annotations

import math
from datetime import date, datetime

import numpy as np

from profiling.reporting.language import figures, locale

NARROW_SPACE = "\u202f"
DASH = "–"
CHANCE_FLOOR = 1e-5

Number = float | int | np.floating | np.integer | None


def known(value: Number) -> bool:
    """Whether there is a finite number to print."""
    return value is not None and math.isfinite(float(value))


def integer(value: Number) -> str:
    """A whole number with thousands: 28,851."""
    return figures(f"{round(float(value)):,}") if known(value) and value is not None else DASH


def decimal(value: Number, places: int = 1) -> str:
    """A number with fixed decimals and thousands, never minus zero: 14.4."""
    if value is None or not known(value):
        return DASH
    rounded = round(float(value), places) + 0.0
    return figures(f"{rounded:,.{places}f}".replace("-", "−"))


def short(value: float) -> str:
    """A number in the fewest figures, as for a tick: 0.5, 1,000."""
    return figures(f"{value:,.10g}".replace("-", "−"))


def signed(value: Number, places: int = 1) -> str:
    """A difference with its sign: +6.1 or −0.8."""
    if value is None or not known(value):
        return DASH
    text = decimal(value, places)
    return text if text.startswith("−") or float(value) == 0 else f"+{text}"


def amount(value: Number) -> str:
    """Expected or predicted events: one decimal below a thousand, none above."""
    return decimal(value, 1) if known(value) and value is not None and abs(float(value)) < 1000 else integer(value)


def ratio(value: Number) -> str:
    """A ratio to two decimals: 1.24."""
    return decimal(value, 2)


def interval(lower: Number, upper: Number, places: int = 2) -> str:
    """The two ends of an interval, for tables: 1.00–1.54."""
    return f"{decimal(lower, places)}–{decimal(upper, places)}" if known(lower) and known(upper) else DASH


def interval_text(lower: Number, upper: Number, places: int = 2) -> str:
    """The two ends of an interval, for sentences: 1.00 to 1.54."""
    return locale().to.format(low=decimal(lower, places), high=decimal(upper, places))


def estimate(value: Number, lower: Number, upper: Number, places: int = 2) -> str:
    """An estimate with its interval: 1.24 (1.00–1.54)."""
    return f"{decimal(value, places)} ({interval(lower, upper, places)})" if known(value) else DASH


def percent(share: Number, places: int = 1) -> str:
    """A share as per cent, with a narrow no-break space: 7.2 %."""
    return f"{decimal(100 * float(share), places)}{NARROW_SPACE}%" if share is not None and known(share) else DASH


def level_percent(level: float) -> str:
    """A confidence level without needless zeros: 95 % and 99.8 %."""
    return f"{short(level * 100)}{NARROW_SPACE}%"


def two_figures(value: float) -> int:
    """A number above one rounded to two significant figures."""
    digits = max(len(str(int(value))) - 2, 0)
    return int(round(value, -digits))


def chance(probability: Number) -> str:
    """A probability as odds people know: 1 in 500; two figures at most."""
    if probability is None or not known(probability):
        return DASH
    if probability > 0.5:
        return locale().often
    if probability < CHANCE_FLOOR:
        return locale().seldom.format(number=integer(1 / CHANCE_FLOOR))
    return locale().chance.format(number=integer(two_figures(round(1 / float(probability), 6))))


def few(value: Number) -> str:
    """A number of providers that chance would produce: whole from two upward, one decimal below."""
    if value is None or not known(value):
        return DASH
    if value < 0.05:
        return locale().under.format(number=decimal(0.1))
    return integer(value) if value >= 1.95 else short(round(float(value), 1))


def in_words(value: Number, capital: bool = False) -> str:
    """Whole numbers to twelve in words, others in figures; zero is "no"."""
    words = locale().words
    if value is None or not known(value):
        return DASH
    whole = round(float(value))
    text = words[whole] if 0 <= whole < len(words) else integer(whole)
    return text[:1].upper() + text[1:] if capital else text


def in_any_gender(value: Number, capital: bool = False) -> str:
    """Whole numbers in words before a noun whose gender is not known: figures where the word would follow it."""
    bends = locale().bend and value is not None and known(value) and round(float(value)) < 2
    return integer(value) if bends else in_words(value, capital)


def rank_interval(lower: Number, upper: Number) -> str:
    """A rank is only ever an interval: 61–121."""
    return f"{integer(lower)}–{integer(upper)}" if known(lower) and known(upper) else DASH


def day(value: object) -> str:
    """A day as 11 June 2024; text that is no date is given back as it is."""
    parsed = _as_date(value)
    if parsed is None:
        return str(value)
    spoken = locale()
    return spoken.day.format(day=parsed.day, month=spoken.months[parsed.month - 1], year=parsed.year)


def month(text: str) -> str:
    """The month of a day in ISO form, short: Jun 2024."""
    return f"{locale().months[int(text[5:7]) - 1][:3]} {text[:4]}"


def moment(value: object) -> str:
    """A moment as 11 June 2024, 09:14 UTC."""
    try:
        stamp = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return f"{day(stamp)}, {stamp:%H:%M} UTC"


def _as_date(value: object) -> date | None:
    if isinstance(value, date):
        return value
    try:
        return datetime.fromisoformat(str(value)).date()
    except ValueError:
        return None


def short_hash(sha256: object) -> str:
    """The ends of a SHA-256, enough to compare by eye: 5b0e…c2d9."""
    text = str(sha256)
    return f"{text[:4]}…{text[-4:]}" if len(text) > 9 else text
