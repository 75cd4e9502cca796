"""Sentences that stand on every page, in German."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "disclosure_none": "In diesem Bericht ist keine Zahl verdeckt.",
    "verdict": (
        "Eine Auffälligkeit ist ein Anlass nachzusehen, kein Urteil. Zu prüfen sind zuerst die Daten, dann das "
        "Risikoprofil, dann die Strukturen, dann die Abläufe und zuletzt die handelnden Personen."
    ),
    "disclosure": (
        "Fall- und Ereigniszahlen von 1 bis {most} werden nicht gezeigt, auch nichts, woraus sie sich errechnen "
        "ließen: Von einer solchen {provider} stehen hier nur Fallzahlklasse und Ergebnis. In Summen ist sie enthalten."
    ),
    "and": "und",
    "none_of": "keine",
    "as_pdf": "Diese Seite als PDF",
    "show_table": "Die Zahlen dieses Diagramms als Tabelle",
    "figures_of_panel": "Zahlen:",
    "definitions_of_panel": "Erklärt:",
    "language": "de",
    "skip_link": "Zu den Ergebnissen",
    "navigation_label": "Bericht",
    "nav_overview": "Übersicht",
    "nav_methods": "Methoden",
    "nav_audit": "Prüfung",
    "run_name": "Lauf {run}",
    "seed_name": "Startwert {seed}",
    "how_hidden": "Wie Zahlen verdeckt werden",
    "made": "erstellt {moment}. Dieselben Daten, Einstellungen und Programme ergeben Byte für Byte wieder diese Seite.",
    "current_title": "Bericht",
    "current_report": "Der aktuelle Bericht",
    "how_to_read": "Wie das zu lesen ist",
    "the_model": "das Modell",
    "formula_is": "Formel:",
    "look": "! prüfen",
    "passed": "✓ in Ordnung",
    "beyond_outer": "(jenseits der äußeren Grenzen)",
    "beyond_inner": "(jenseits der inneren Grenzen)",
    "not_shown": "nicht gezeigt",
    "counts_not_shown": "Zahlen nicht gezeigt",
    "band_not_shown": "{band} Fälle; Zahlen nicht gezeigt",
    "few_word": "wenige",
    "of_all": "{count} von {all}",
    "events_word": "Ereignisse",
    "units_word": "Einheiten",
    "yes": "ja",
    "no": "nein",
    "all_records": "Alle Datensätze",
    # verbs, for none, for one and for many
    "lie_none": "liegt",
    "lie_one": "liegt",
    "lie_many": "liegen",
    "have_none": "hat",
    "have_one": "hat",
    "have_many": "haben",
    "had_none": "hatte",
    "had_one": "hatte",
    "had_many": "hatten",
    "leave_none": "schließt",
    "leave_one": "schließt",
    "leave_many": "schließen",
    "do_none": "ist es",
    "do_one": "ist es",
    "do_many": "sind es",
    "say_none": "sagt",
    "say_one": "sagt",
    "say_many": "sagen",
}
