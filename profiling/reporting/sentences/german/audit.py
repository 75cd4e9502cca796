"""Sentences of the audit, in German."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "audit_headline": "Woraus dieser Bericht entstand und wie er zu prüfen ist",
    "audit_lede": "Jede Zahl dieser Seiten folgt aus den hier genannten Dateien, Einstellungen und Programmen.",
    "audit_kept": "{rules} mehr, von keiner Zeile verletzt.",
    "audit_first": "Vor diesem Lauf wurde keiner veröffentlicht; es gibt nichts, womit er zu vergleichen wäre.",
    "audit_previous": (
        "Vor diesem Lauf wurde {previous} veröffentlicht. Was sich dazwischen geändert hat: profiling compare "
        "{previous} {run}."
    ),
    "audit_passed": "Die Freigabeprüfung fand gegen ihn keinen Sprung bei Fallzahl, Rate, Fehlwerten, Auffälligkeiten.",
    "audit_released": (
        "Die Freigabeprüfung hielt diesen Lauf wegen eines Sprungs an: {reasons}. Er wurde freigegeben, nachdem jemand "
        "die Gründe angesehen hatte."
    ),
    "audit_table_columns": (
        "Die Tabelle hat eine Zeile je Einrichtung: Fälle, beobachtete und erwartete Ereignisse. Sonst wurde nichts "
        "gelesen, und hinter diesem Bericht liegen keine Daten einzelner Personen."
    ),
    "audit_table_judged": (
        "Eine Tabelle wird für sich beurteilt und nicht mit einem früheren Lauf verglichen. Worauf die erwarteten "
        "Ereignisse beruhen, liegt bei der Stelle, die sie veröffentlicht hat."
    ),
    "audit_table_check": "Dieselbe Tabelle, dieselben Angaben und derselbe Zeitpunkt ergeben dieselben Seiten:",
    "audit_files": "Was eingelesen wurde",
    "audit_files_sub": "Die Dateien, wie sie gelesen wurden. Gleiche Bytes haben dieselbe SHA-256.",
    "audit_files_label": "Eingelesene Dateien",
    "audit_rules": "Welche Regeln verletzt wurden",
    "audit_rules_sub": (
        "Eine Zeile kann mehrere Regeln verletzen; sie wird einmal zurückgewiesen und mit den Namen der Regeln "
        "aufbewahrt."
    ),
    "audit_all_but_few": "alle bis auf wenige",
    "audit_whole_row": "ganze Zeile",
    "audit_table": "Was die Tabelle enthält",
    "audit_check": "Wie dieser Lauf zu prüfen ist",
    "audit_manifest": "Das Verzeichnis der Prüfsummen",
    "audit_manifest_any": (
        "nennt jede Datei dieses Ordners mit ihrer SHA-256, so dass jedes Programm, das sie berechnet, ein geändertes "
        "Byte findet."
    ),
    "audit_manifest_names": "nennt jede Datei dieses Ordners mit ihrer SHA-256.",
    "audit_verify": "vergleicht sie und findet ein geändertes, fehlendes oder hinzugefügtes Byte.",
    "audit_only": "Nur",
    "audit_seconds": "die Sekunden der einzelnen Schritte",
    "audit_volatile": "weichen ab; das Verzeichnis führt diese Datei als veränderlich.",
    "audit_same": "Dieselben Dateien, Einstellungen und derselbe Zeitpunkt ergeben denselben Lauf:",
    "audit_cohorts": "Wer gezählt wurde, so wie die Datenbank gefragt wurde",
    "audit_each_step": "Jeder Schritt mit seinen Zahlen:",
    "audit_sql": "SQL der Auswahl für {title}",
    "audit_before": "Der Lauf davor",
    "audit_software": "Programme",
    "audit_software_assessed": "Stand bei der Auswertung der Tabelle.",
    "audit_software_fitted": "Stand bei der Anpassung der Modelle.",
    "audit_configuration": "Einstellungen",
    "audit_told": "Was dem Befehl angegeben wurde.",
    "audit_config_read": "Die Datei, wie sie gelesen wurde; Adressen von Datenbanken sind entfernt.",
    "fact_run": "Lauf",
    "fact_made": "Erstellt",
    "fact_seed": "Startwert",
    "fact_hidden": "Verdeckte Zahlen",
    "fact_edition": "Ausgabe",
}
