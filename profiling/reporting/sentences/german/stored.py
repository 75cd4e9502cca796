"""Words that a run keeps in the database, in German."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "stored_encounters": "Behandlungsfälle",
    "stored_patients": "Patientinnen und Patienten",
    "stored_clinics": "Kliniken",
    "stored_physicians": "Ärztinnen und Ärzte",
    "stored_diagnoses": "Diagnosen",
    "stored_comments": "Stellungnahmen",
    "stored_public": "öffentlich",
    "stored_bundle": "für eine Einrichtung",
    "stored_any": "irgendeines davon",
    # bands of cases and of numbers
    "band_some": "einige",
    "band_under": "unter {count}",
    "band_from": "{count} oder mehr",
    "band_over": "{count} und darüber",
    "band_to": "{low} bis {high}",
    "band_to_under": "{low} bis unter {high}",
    # steps of a cohort
    "stored_all": "alle Behandlungsfälle",
    "stored_admitted": "aufgenommen {start} bis {end}",
    "stored_least": "{column} mindestens {value}",
    "stored_most": "{column} höchstens {value}",
    "stored_recorded": "{column} angegeben",
    "stored_above": "{column} über null",
    "stored_complete": "Risikoprofil und Ergebnis vollständig",
    "stored_positive": "Ergebnis über null",
    # what other choices are
    "stored_no_shrinkage": "ohne Glättung: ein Achsenabschnitt je Einrichtung, exakter Test gegen den mittleren",
    "stored_no_term": "das Risikoprofil ohne diesen Term",
    "stored_no_largest": "ohne die Zeilen der größten Einrichtung der Ebene {level}",
    "stored_not_possible": "nicht möglich: {reason}",
    # what the gate held
    "stored_gate_missing": "fehlende Werte von {measure}",
    "stored_gate_flags": "Zahl der Auffälligkeiten von {measure}",
    "stored_gate_volume": "Fallzahl von {measure}",
    "stored_gate_rate": "Ereignisrate oder Mittel von {measure}",
    # ways of judging
    "stored_same_order": "eine andere Regel für dieselben Schätzwerte",
    "stored_mean_residual": "Test des mittleren Residuums",
    "stored_as_recorded": "jede Behandlung der Stelle zugeordnet, bei der sie erfasst ist",
    "stored_most_visits": "jede Behandlung der Stelle zugeordnet, die meist aufgesucht wird",
    "stored_way_recorded": "die Zuordnung wie erfasst",
    "stored_way_visits": "die Zuordnung nach den meisten Behandlungen",
    "stored_unshrunken": "der Test ohne Glättung",
}
