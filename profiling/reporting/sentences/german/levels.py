"""Levels of providers in German: their name for one and for many.

All are of feminine gender, so that the sentences around them need no other form: eine Klinik, keine Praxis.
"""

from __future__ import annotations

LEVELS: dict[str, tuple[str, str]] = {
    "hospital": ("Klinik", "Kliniken"),
    "clinic": ("Klinik", "Kliniken"),
    "provider": ("Einrichtung", "Einrichtungen"),
    "facility": ("Einrichtung", "Einrichtungen"),
    "trust": ("Trägerschaft", "Trägerschaften"),
    "physician": ("Arztperson", "Arztpersonen"),
    "doctor": ("Arztperson", "Arztpersonen"),
    "surgeon": ("Fachperson der Chirurgie", "Fachpersonen der Chirurgie"),
    "nurse": ("Pflegeperson", "Pflegepersonen"),
    "practice": ("Praxis", "Praxen"),
    "department": ("Abteilung", "Abteilungen"),
    "ward": ("Station", "Stationen"),
    "unit": ("Einheit", "Einheiten"),
    "team": ("Gruppe", "Gruppen"),
    "region": ("Region", "Regionen"),
    "county": ("Region", "Regionen"),
    "rule": ("Regel", "Regeln"),
    "period": ("Periode", "Perioden"),
}
MANY = dict(LEVELS.values())
