"""Sentences of the overview, in German."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "none_anywhere": "Keine {provider} ist bei {measures} auffällig",
    "counts_anywhere": "{flagged} von {all} {providers} sind bei {measures} auffällig",
    "counts_anywhere_one": "Eine von {all} {providers} ist bei {measures} auffällig",
    "any_measure": "einer von {count} Kennzahlen",
    "least_one": "mindestens einer von {count} Kennzahlen",
    "watched_one": "Eine {provider} liegt knapp außerhalb dessen, was der Zufall meist bewirkt, und ist zu beachten.",
    "watched": (
        "{count} {providers} liegen knapp außerhalb dessen, was der Zufall meist bewirkt, und sind zu beachten."
    ),
    "conversation": (
        "Jenseits der {flag}-Grenzen bei irgendeiner Kennzahl oder jenseits der {watch}-Grenzen bei „{first}“. Neben "
        "jedem Wort: das geglättete Verhältnis mit seinem 95-%-Intervall."
    ),
    "changes_none": "Seit Lauf {before} hat sich kein Ergebnis geändert",
    "changes_one": "Seit Lauf {before} hat sich eines von {all} Ergebnissen geändert",
    "changes_some": "{moved} von {all} Ergebnissen haben sich seit Lauf {before} geändert",
    "changes_sub": (
        "Wie stark und warum, ob durch Ergebnisse, Risikoprofil, Modell oder Regel: profiling compare {before} {run}."
    ),
    "changes_flags": "Neu jenseits der äußeren Grenzen: {fresh}; nicht mehr: {gone}.",
    "changes_inner": "{title}: {moved} von {all} Ergebnissen der {providers} haben sich geändert.",
    "changes_ends": "{title}: neu in diesem Lauf {came}, nicht mehr darin {left}.",
    "changes_table": "Ergebnisse, die sich seit Lauf {before} geändert haben",
    "changes_more": "{count} weitere auf der Seite, die profiling compare schreibt.",
    "composite_some": "{count} von {all} {providers} {lie} bei „{title}“ klar abseits des Durchschnitts",
    "composite_none": "Keine {provider} liegt bei „{title}“ klar abseits des Durchschnitts",
    "composite_sub": (
        "Mehrere Kennzahlen jeder {provider} in einem Wert; über {neutral} ist weniger erwünscht. Er verdeckt, welche "
        "davon ihn bestimmt: Jede hat ihre eigene Seite."
    ),
    "composite_weighted": (
        "Das gewichtete Mittel der Verhältnisse (ihrer Logarithmen); die Gewichte sind eine Setzung: {weights}."
    ),
    "composite_opportunity": (
        "Alle Ereignisse geteilt durch alle erwarteten, so dass die häufigen bestimmen, aus {weights}."
    ),
    "composite_latent": "Ein gemeinsames Merkmal hinter den Kennzahlen, aus ihrem Zusammenhang bestimmt: {weights}.",
    "composite_axis": "Gesamtwert, 95-%-Intervall",
    "composite_axis_trait": "Merkmal in Standardabweichungen der Einrichtungen, 95-%-Intervall",
    "composite_table": "{providers}, deren Gesamtwert klar abseits des Durchschnitts liegt",
    # the page around them
    "measures_label": "Kennzahlen",
    "matrix_title": "Jede {provider}, jede Kennzahl",
    "not_measured": "nicht gemessen",
    "counts_title": "Wie viele wo stehen",
    "counts_sub": "Einrichtungen nach Ergebnis, je Kennzahl und Ebene.",
    "counts_by_all": "Zahl der Einrichtungen nach Ergebnis, Kennzahl und Ebene",
    "health_title": "Zustand der Daten",
    "all_providers": "Alle {providers}",
    "downloads_title": "Zum Herunterladen",
    "downloads_sub": "Dieselben Zahlen wie auf diesen Seiten; dieselben sind verdeckt.",
    "download_columns": "Was die Spalten bedeuten (CSV)",
    "download_run": "Der Lauf in maschinenlesbarer Form (JSON)",
    "overview_all": "Die {rest} lassen sich nicht sicher vom Durchschnitt unterscheiden.",
    "overview_other": "Die übrigen {rest} lassen sich nicht sicher vom Durchschnitt unterscheiden.",
    "overview_all_spread": "Die {rest} liegen in der üblichen Streuung der {providers}.",
    "overview_other_spread": "Die übrigen {rest} liegen in der üblichen Streuung der {providers}.",
    "patients_in": "{patients} Fälle, {providers}",
    "fact_who": "Wer",
    "fact_measured": "Gemessen",
    "fact_compared": "Verglichen mit",
    "compared_with": "der durchschnittlichen {provider} bei denselben Fällen",
    "overall_hidden": "Gesamtrate nicht gezeigt",
    "overall_rate": "{rate} insgesamt",
    "overall_mean": "{mean} {unit} im Mittel",
    "patients_count": "{count} Fälle",
    "patients_few": "wenige Fälle",
    "conversation_title": "Anlass für ein Gespräch: {counted}",
    "conversation_none": "Keine {provider} ist auffällig",
    "conversation_more": "{counted} mehr auf den Seiten der Kennzahlen.",
    "health_small": "{providers} mit zu wenigen Fällen für eine Aussage bei einer Kennzahl",
    "health_hidden": "{providers} mit verdeckten Zahlen bei einer Kennzahl",
    "health_records": "Datensätze gelesen; {rejected} zurückgewiesen",
    "health_records_all": "Datensätze gelesen; keiner zurückgewiesen",
    "health_records_few": "Datensätze gelesen, auf Tausend gerundet; wenige zurückgewiesen",
    "health_missing": "fehlen beim Merkmal des Risikoprofils, das am häufigsten fehlt",
    "health_c": "c-Statistik; 0,5 heißt geraten, 1 vollständig",
    "health_c_lowest": "c-Statistik (die niedrigste der Kennzahlen); 0,5 heißt geraten, 1 vollständig",
    "health_balance": "beobachtet ÷ erwartet über alle",
    "health_balance_farthest": "beobachtet ÷ erwartet über alle, wo es am weitesten von 1 abweicht",
}
