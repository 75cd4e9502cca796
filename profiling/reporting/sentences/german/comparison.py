"""Sentences of the page of two runs, in German."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "compare_none": "Keine {provider} hat ein anderes Ergebnis als in Lauf {before}",
    "compare_some": "{moved} von {all} {providers} haben ein anderes Ergebnis als in Lauf {before}",
    "compare_one": "Eine von {all} {providers} hat ein anderes Ergebnis als in Lauf {before}",
    "compare_same_files": "Beide Läufe lasen dieselben Dateien.",
    "compare_other_files": "Zwischen den Läufen geändert: {files}.",
    "compare_same_settings": "Die Kennzahlen waren gleich eingestellt.",
    "compare_other_settings": "Auch was von den Daten gefragt wurde, hat sich geändert: {settings}.",
    "cause_outcomes": "Andere Ergebnisse",
    "cause_case_mix": "Andere Fälle",
    "cause_model": "Anderes Modell",
    "cause_rule": "Andere Regel",
    "cause_size": "Mehr oder weniger Fälle",
    "cause_hidden": "Zahlen nicht gezeigt",
    "cause_unknown": "Keine Zahlen zum Vergleich",
    "cause_came": "Nicht im früheren Lauf",
    "cause_left": "Nicht im späteren Lauf",
    "cause_": "",
    "compare_reading": (
        "Das rohe Verhältnis änderte sich um das Produkt dreier Faktoren: was mit den Patientinnen und Patienten "
        "geschah (Ergebnisse), wer sie waren (Risikoprofil) und wie dieselben Fälle bewertet werden (Modell). Ein "
        "Ergebnis kann sich auch durch die Regel allein ändern, bei gleichen Zahlen."
    ),
    "compare_inner": "Auch {moved} von {all} haben ein anderes Ergebnis; sie stehen in der Tabelle zum Herunterladen.",
    "compare_few": (
        "Wo sich die beiden Läufe um 1 bis {most} Fälle, Ereignisse oder Fälle ohne Ereignis unterscheiden, werden die "
        "Zahlen beider hier zurückgehalten: Ihre Differenz wäre eine solche Zahl."
    ),
    "step_before": "Lauf {before}",
    "step_left": "Datensätze nur dort, weggenommen",
    "step_came": "Datensätze nur im späteren Lauf, hinzugefügt",
    "step_same": "Dieselben Datensätze, neu bewertet",
    "step_after": "Lauf {after}",
    "compare_title": "{before} und {after}",
    "compare_runs": "Lauf {before} und Lauf {after}",
    "compare_csv": "Jede Einrichtung beider Läufe (CSV)",
    "compare_who": "Wer sich bewegt hat, {title}",
    "compare_totals": "Alle Datensätze zusammen",
    "compare_changed": "Was sich zwischen den Läufen geändert hat",
    "compare_measures": "die Kennzahlen",
    "compare_same": "gleich",
    "compare_other": "geändert",
    "compare_moved": "{moved} von {all} mit anderem Ergebnis",
    "not_read": "nicht gelesen",
    "sum_of": "Summe: {what}",
    "the_outcome": "Ergebnis",
}
