"""How a run is put on pages, beside what it found: which pages there are, in which language, and whether as PDF too."""

from __future__ import annotations

from dataclasses import dataclass

from profiling.vocabulary import Language


@dataclass(frozen=True)
class Presentation:
    """`physician_pages`: a page for every inner provider too. `pdf`: overview, measures and providers as PDF beside
    their pages. `language`: of all words and numbers.
    """

    physician_pages: bool = False
    pdf: bool = False
    language: Language = "en"


PLAIN = Presentation()
