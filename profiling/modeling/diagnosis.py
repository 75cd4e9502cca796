"""What a fit wants to be known about itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Diagnosis:
    """Something the fit wants to be known: a code, a sentence with advice, and how grave it is."""

    code: str
    message: str
    severity: str = "note"
