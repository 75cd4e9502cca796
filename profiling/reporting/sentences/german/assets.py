"""Words in the script and the styles of pages, in German."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "script_find": '"Suche: " + name',
    "script_name": "heads[0].textContent.trim()",
    "script_words": '"Ergebnis"',
    "script_all": '["Alle"]',
    "script_of": '" von " + all',
    "script_sort": '"Sortieren nach "',
    "script_digits": r'.replace(/[.\s\u202f]/g, "").replace(",", ".")',
    "script_odds": r"/^(mehrals|wenigerals)?1von([\d.]+)/",
    "style_patients": 'content: " Fälle"',
}
