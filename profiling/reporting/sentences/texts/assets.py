"""Words in the script and the styles of pages, as they stand there; another language puts its own in their place."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "script_find": '"Find a " + name',
    "script_name": "heads[0].textContent.trim().toLowerCase()",
    "script_words": '"In words"',
    "script_all": '["All"]',
    "script_of": '" of " + all',
    "script_sort": '"Sort by "',
    "script_digits": r'.replace(/[,\s\u202f]/g, "")',
    "script_odds": r"/^(over|under)?1in([\d.]+)/",
    "style_patients": 'content: " patients"',
}
