"""Fictional names for the generated hospitals and physicians."""

from __future__ import annotations

from typing import Final

import numpy as np

_FIRST: Final = (
    *("Oak", "Kirk", "Quill", "Ember", "Corven", "Dunmar", "Fenna", "Greyl", "Hollin", "Ister"),
    *("Jessam", "Lorn", "Mirel", "Orrin", "Pell", "Rushen", "Sorrel", "Tarn", "Ulver", "Wythe"),
    *("Yarrow", "Aldren", "Brack", "Cray", "Dorrin", "Elster", "Finch", "Garrow", "Hesper", "Jarrel"),
)
_LAST: Final = ("wick", "den", "mere", "holt", "stow", "garth", "combe", "haven")
_KINDS: Final = ("University", "District", "General", "Memorial", "County", "Royal")
_SURNAMES: Final = (
    *("Abernock", "Ashgrove", "Bellwain", "Birchall", "Brockway", "Calloway", "Carrow", "Chilvers", "Cobden"),
    *("Darnley", "Dunmore", "Eastlake", "Eldridge", "Fairlow", "Fenwick", "Garside", "Gildern", "Halloway"),
    *("Harcastle", "Hexley", "Inchbald", "Jermyn", "Kellaway", "Kingsmere", "Langmoor", "Larkham", "Lidgate"),
    *("Marwood", "Merrow", "Netherby", "Norwell", "Oakeshott", "Ormsby", "Pargeter", "Penrose", "Quartley"),
    *("Ravenhill", "Rookwood", "Selwyn", "Silverton", "Stanmoor", "Tarleton", "Thornbury", "Underhay"),
    *("Vantage", "Wakelin", "Wetherall", "Winslade", "Yardley", "Yelverton"),
)
_INITIALS: Final = "ABCDEFGHJKLMNPRSTW"


def hospital_names(count: int, random: np.random.Generator) -> list[str]:
    """Different places, each with a kind of hospital: `Oakwick University`."""
    places = random.permutation([first + last for first in _FIRST for last in _LAST])[:count]
    return [f"{place} {kind}" for place, kind in zip(places, random.choice(_KINDS, count), strict=True)]


def physician_names(count: int, random: np.random.Generator) -> list[str]:
    """Different names of one initial and one surname: `Dr A. Fenwick`."""
    every = [f"Dr {initial}. {surname}" for surname in _SURNAMES for initial in _INITIALS]
    return [str(name) for name in random.permutation(every)[:count]]
