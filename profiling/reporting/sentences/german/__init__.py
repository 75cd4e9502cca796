"""The catalogue in German, a module for each of `texts`; what it lacks is said in English."""

from __future__ import annotations

from collections.abc import Mapping

GERMAN: Mapping[str, str] = {}
