"""The canonical records: which tables and columns every installation has, whatever its files are called."""

from __future__ import annotations

from typing import Literal, get_args

SourceName = Literal["patients", "clinics", "physicians", "encounters", "diagnoses", "comments"]
SOURCE_NAMES: tuple[SourceName, ...] = get_args(SourceName)

CANONICAL_COLUMNS: dict[str, tuple[str, ...]] = {
    "patients": ("patient_id", "sex", "birth_date"),
    "clinics": ("clinic_id", "name"),
    "physicians": ("physician_id", "name", "clinic_id"),
    "encounters": ("encounter_id", "patient_id", "clinic_id", "physician_id", "admitted", "discharged"),
    "diagnoses": ("encounter_id", "code", "system", "position"),
    "comments": ("level", "provider", "comment"),
}
"""Every other column of a source is an attribute: an outcome, a risk factor, a payer."""

RECORD_IDS: dict[str, str] = {
    "patients": "patient_id",
    "clinics": "clinic_id",
    "physicians": "physician_id",
    "encounters": "encounter_id",
}
"""The column that identifies one record of a source; diagnoses and comments have none of their own."""

MEASURE_SOURCES: tuple[str, ...] = ("encounters", "patients", "clinics")
"""Where a measure's columns are looked for, in this order."""
