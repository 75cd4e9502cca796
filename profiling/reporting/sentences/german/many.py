"""Sentences for very many providers, in German."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "one_mark": "Ein Zeichen ist eine {provider}, bei jeder Kennzahl in derselben Spalte.",
    "one_column": "Eine Spalte fasst {providers} von etwa gleicher Größe zusammen, bei jeder Kennzahl dieselben.",
    "grouped_rows": "Balken: benachbarte {providers} zusammen, mit mittlerem Verhältnis und Intervall",
    "grouped_columns": (
        "Eine Spalte sind etwa {count} {providers}: über der Linie die höheren, darunter die niedrigeren, umrandet die "
        "zu beachtenden"
    ),
    "pages_label": "Seiten aller {things}",
    "pages_shown": "{first} bis {last} von {all} {things}",
    "pages_before": "Zurück",
    "pages_after": "Weiter",
    "further_title": "{title}, {providers}, Seite {number}",
    "further_headline": "Alle {providers}, Seite {number}: {title}",
    "further_lede": (
        "Die auffälligsten Ergebnisse stehen vorn; eine {provider} nach ihrem Namen sucht man auf der ersten Seite."
    ),
    "further_inner": "{name}: ihre {providers}, Seite {number}, {title}",
    "found_on_page": "auf Seite {page} dieser Tabelle",
    "directory_few": "Jede hat eine eigene Seite.",
    "directory_title": "Alle {providers}, Seite {number}",
    "directory_lede": "Nach Namen geordnet; jede hat eine eigene Seite.",
    "directory_range": "{first} bis {last}",
    "directory_sub": "Jede hat eine eigene Seite; nach Namen geordnet stehen sie auf {count} Seiten.",
}
