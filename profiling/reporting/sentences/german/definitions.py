"""The definitions in German, by the key of the English ones; sources stay as they are where none is given."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Meaning(NamedTuple):
    """What a definition says in another language."""

    name: str
    meaning: str
    formula: str
    source: str = ""


MEANINGS: Mapping[str, Meaning] = MappingProxyType(
    {
        "case-mix": Meaning(
            "Risikoprofil",
            "Was Patientinnen und Patienten mitbringen: die Merkmale, die das Modell berücksichtigt, bevor es jemanden "
            "vergleicht. Datensätze, denen eines fehlt, sind ausgeschlossen, gezählt und gezeigt.",
            "η = xβ, zusammen mit den Effekten der Einrichtungen angepasst",
        ),
        "model": Meaning(
            "Das Modell",
            "Ein gemischtes Modell: Das Ergebnis jedes Falls hängt vom Risikoprofil ab und von einem Effekt jeder "
            "Einrichtung. Die Effekte gelten als Ziehungen aus einer Normalverteilung, deren Streuung aus den Daten "
            "geschätzt wird.",
            "g(E[y | b]) = xβ + b, b ~ N(0, σ²)",
        ),
        "observed": Meaning(
            "Beobachtet",
            "Was geschah: die Zahl der Ereignisse oder die Summe (und das Mittel) des Ergebnisses unter den Fällen der "
            "Einrichtung.",
            "O = Σ y",
        ),
        "expected": Meaning(
            "Erwartet",
            "Was denselben Fällen in einer durchschnittlichen Einrichtung geschehen wäre. Für Tests, Trichterdiagramme "
            "und rohe Verhältnisse wird über die Streuung der Einrichtungen gemittelt, so dass beobachtet und erwartet "
            "in der Summe übereinstimmen; für das geglättete Verhältnis ist der Effekt der Einrichtung null.",
            "E = Σ g⁻¹(xβ̂), der eigene Effekt null oder über N(0, σ̂²) gemittelt",
        ),
        "predicted": Meaning(
            "Vorhergesagt",
            "Was nach unserer Schätzung den Fällen dieser Einrichtung auf lange Sicht geschähe, mit ihrem Effekt, "
            "soweit ihre Zahlen ihn stützen.",
            "P = Σ g⁻¹(xβ̂ + b̂)",
        ),
        "raw-ratio": Meaning(
            "Rohes Verhältnis",
            "Beobachtet durch erwartet, ohne Glättung. Sein Intervall ist für Zahlen von Ereignissen exakt.",
            "O / E; Grenzen χ²(α/2; 2O) / 2E und χ²(1 − α/2; 2(O + 1)) / 2E",
        ),
        "shrunken-ratio": Meaning(
            "Geglättetes Verhältnis",
            "Vorhergesagt durch erwartet. Es wird so weit zur 1 hin gezogen, wie die Fallzahl der Einrichtung Zweifel "
            "lässt. In Klammern sein 95-%-Intervall: Nach dem Modell enthält es den wahren Wert mit 95 % "
            "Wahrscheinlichkeit.",
            "P / E mit dem daraus folgenden 95-%-Posterior-Intervall von b",
        ),
        "standardized-rate": Meaning(
            "Risikoadjustierte Rate",
            "Das geglättete Verhältnis mal die Gesamtrate: die Rate, die diese Einrichtung mit den Fällen aller hätte.",
            "(P / E) × Gesamtrate",
        ),
        "chance": Meaning(
            "Zufall allein",
            "Wie oft eine genau durchschnittliche Einrichtung mit diesen Fällen so weit von der Norm läge, nach oben "
            "oder nach unten.",
            "zweiseitiges Mid-p von O bei E (Poisson-Binomial bei Ereignissen); sonst aus der Posterior-Verteilung",
        ),
        "limits": Meaning(
            "Grenzen des Trichters",
            "Worin der Zufall allein 95 % und 99,8 % der genau durchschnittlichen Einrichtungen lässt. Kleine "
            "schwanken stärker; daher öffnen sich die Grenzen zu ihnen hin.",
            "exakte Grenzen von O / E bei jedem E",
        ),
        "usual-spread": Meaning(
            "Übliche Streuung",
            "Wo sich Einrichtungen stärker unterscheiden, als der Zufall erklärt, können die Grenzen auf die Streuung "
            "der meisten geweitet werden. Innerhalb solcher Grenzen liegt eine Einrichtung in der üblichen Streuung, "
            "auch wenn ihr Intervall die 1 ausschließt.",
            "Grenzen bei z · √φ oder mit Varianz 1/E + τ²; φ und τ² aus den Einrichtungen ohne ihre Extreme",
        ),
        "flag": Meaning(
            "Ergebnis",
            "Das Ergebnis in Worten. Jede Kennzahl nennt ihre Regel; daneben steht, wie viele Auffälligkeiten die "
            "Regel ergäbe, wären alle Einrichtungen durchschnittlich. Eine Auffälligkeit ist ein Anlass nachzusehen, "
            "kein Urteil.",
            "jenseits 99,8 %: höher oder niedriger als erwartet; jenseits 95 %: beachten",
        ),
        "rank": Meaning(
            "Rang",
            "Das 95-%-Intervall des Rangs der Einrichtung nach dem Verhältnis unter allen; 1 ist das niedrigste. Ein "
            "einzelner Rang wird nie gezeigt, weil die meisten Einrichtungen fast jeden haben könnten.",
            "2,5. und 97,5. Perzentil des Posterior-Rangs",
        ),
        "reliability": Meaning(
            "Reliabilität",
            "Der Anteil der Unterschiede zwischen Einrichtungen dieser Größe, der echt ist und kein Rauschen; 0 "
            "keiner, 1 alles.",
            "σ² / (σ² + v), v die Stichprobenvarianz des Effekts der Einrichtung",
        ),
        "effect-spread": Meaning(
            "Effekt, in Streuungen",
            "Der Effekt einer Einrichtung durch die Streuung, die er hätte, stammten alle aus einer Normalverteilung. "
            "Große und kleine Einrichtungen sind auf dieser Skala gleich, so dass eine Hüllkurve beurteilt, ob sie "
            "nach einer Verteilung aussehen.",
            "b̂ / √(σ² − s²), s die bedingte Standardabweichung von b̂; Hüllkurve aller Ordnungsgrößen zugleich",
        ),
        "shares": Meaning(
            "Wo die Variation liegt",
            "Wie viel der Variation, die das Risikoprofil lässt, zwischen den äußeren Einrichtungen liegt, zwischen "
            "den inneren in ihnen und zwischen Fällen.",
            "σ²(Ebene) / (Σσ² + Rest), der Rest eines logistischen Modells π²/3",
        ),
        "median-odds-ratio": Meaning(
            "Mediane Odds Ratio",
            "Um wie viel sich die Odds des Ereignisses für denselben Fall zwischen zwei typischen Einrichtungen "
            "unterscheiden.",
            "exp(√2 · Φ⁻¹(0,75) · σ)",
        ),
        "c-statistic": Meaning(
            "c-Statistik",
            "Wie gut das vorhergesagte Risiko Fälle mit dem Ereignis von denen ohne unterscheidet: 0,5 heißt geraten, "
            "1 vollständig.",
            "P(Risiko eines Falls mit Ereignis > Risiko eines ohne)",
        ),
        "calibration": Meaning(
            "Kalibrierung",
            "Ob so viele Ereignisse geschehen, wie das Modell sagt, vom niedrigsten zum höchsten Risiko.",
            "beobachtet gegen erwartet je Zehntel des vorhergesagten Risikos; Steigung und Achsenabschnitt auf der "
            "Logit-Skala",
        ),
        "subject-specific": Meaning(
            "Odds Ratio in einer Einrichtung",
            "Um welchen Faktor ein Merkmal die Odds des Ereignisses unter den Fällen ein und derselben Einrichtung "
            "ändert.",
            "exp(β) des gemischten Modells",
        ),
        "population-averaged": Meaning(
            "Odds Ratio in der Bevölkerung",
            "Um welchen Faktor ein Merkmal die Odds des Ereignisses in der ganzen Bevölkerung ändert, über die "
            "Effekte der Einrichtungen gemittelt. Sie liegt näher an 1 als die in einer Einrichtung, umso mehr, je "
            "stärker sich Einrichtungen unterscheiden.",
            "das logistische Modell, das E[g⁻¹(xβ + b)] am nächsten ist; etwa β / √(1 + c²σ²), c = 16√3 / (15π)",
        ),
        "gee": Meaning(
            "Durch Schätzgleichungen",
            "Dieselbe Odds Ratio, nur der Bevölkerung abgefragt, ohne eine Verteilung der Einrichtungen, und ein "
            "Standardfehler, der zulässt, dass sich Fälle einer Einrichtung ähneln.",
            "verallgemeinerte Schätzgleichungen, austauschbar innerhalb der äußeren Einrichtung, korrigierter "
            "Sandwich-Schätzer",
        ),
        "rank-correlation": Meaning(
            "Rangkorrelation",
            "Wie weit die Reihenfolge der Einrichtungen bei einer anderen Entscheidung gleich bleibt: 1 dieselbe, 0 "
            "kein Zusammenhang.",
            "Korrelation der Effekte nach Spearman",
        ),
        "rankability": Meaning(
            "Reihbarkeit",
            "Wie weit sich die Unterschiede zwischen Einrichtungen überhaupt erkennen lassen; nahe 0 ist eine "
            "Rangfolge Rauschen.",
            "σ² / (σ² + mediane Stichprobenvarianz)",
        ),
        "stability": Meaning(
            "Arten der Beurteilung",
            "Ob andere Regeln, keine Glättung, eine andere Zuordnung, das Modell ohne ein Merkmal oder ohne die größte "
            "Einrichtung eine Einrichtung auf dieselbe Seite stellen: höher, niedriger oder keine, an den Grenzen des "
            "Beachtens.",
            "Anteil der anderen Arten, die der veröffentlichten zustimmen",
        ),
        "events-to-change": Meaning(
            "Ereignisse bis zu einem anderen Ergebnis",
            "Die Zahlen von Ereignissen, von denen an die Regel denselben Fällen ein anderes Ergebnis gäbe.",
            "erste Zahl jenseits jeder Grenze, abzüglich der beobachteten",
            "Spiegelhalter 2005; exakt beim Trichter, angenähert bei anderen Regeln",
        ),
        "e-value": Meaning(
            "Nicht erfasstes Merkmal",
            "Wie stark ein Merkmal, das niemand erfasst hat, sein müsste, um ein Verhältnis wegzuerklären: wie viel "
            "häufiger unter den Fällen der Einrichtung, und um wie viel wahrscheinlicher es das Ereignis machte.",
            "RR + √(RR (RR − 1)); unter eins von 1/RR",
        ),
        "fifths": Meaning(
            "Im Fünftel",
            "Die Wahrscheinlichkeit, dass das wahre Verhältnis einer Einrichtung zum Fünftel der höchsten oder der "
            "niedrigsten gehört.",
            "Anteil der Posterior-Ziehungen, in denen ihr Rang dort liegt",
        ),
        "rank-set": Meaning(
            "Rang, für alle zugleich",
            "Ränge, die für alle Einrichtungen zugleich mit 95 % Wahrscheinlichkeit gelten; jedes Intervall für sich "
            "läge bei einigen daneben.",
            "simultane Konfidenzmengen der Ränge",
        ),
        "overlap": Meaning(
            "Überlappung der Risikoprofile",
            "Wie viel des Risikoprofils einer Einrichtung auch anderswo vorkommt. Bei weniger als der Hälfte beruht "
            "ein Vergleich mehr auf dem Modell als auf gleichen Fällen.",
            "Σ min(Anteil hier, Anteil anderswo) über Risikoklassen",
        ),
        "vlad": Meaning(
            "Über die Zeit aufsummiert",
            "Beobachtet minus erwartet, von Zeitraum zu Zeitraum aufsummiert: Es steigt, solange mehr geschieht als "
            "erwartet. Die Bänder sind die Grenzen des Trichters für alle Fälle bis dahin.",
            "Σ (O − E) bis zum Ende eines Zeitraums",
        ),
        "cusum": Meaning(
            "CUSUM",
            "Eine Karte, die mit jedem Ereignis steigt, mit jedem Fall ohne Ereignis ein wenig sinkt und nie unter "
            "null fällt. Über ihrer Linie zeigt sie an, dass sich die Odds eine Zeit lang verdoppelt haben, abwärts "
            "halbiert. Gezeichnet ist ihr größter Wert in jedem Zeitraum.",
            "C = max(0, C + y log R − log(1 − p + Rp)), R = 2 oder ½",
        ),
        "subgroups": Meaning(
            "Gruppen von Fällen",
            "Beobachtet durch erwartet aller Fälle mit einem Wert eines Merkmals, nach dem Risikoprofil, wie es ist, "
            "und mit Termen des sozialen Risikos. Exakte Grenzen für Zahlen von Ereignissen.",
            "O / E der Gruppe; Grenzen wie beim rohen Verhältnis",
        ),
        "composite": Meaning(
            "Gesamtwert",
            "Mehrere Kennzahlen einer Einrichtung in einem Wert. Er verdeckt, welche ihn bestimmt, und seine Gewichte "
            "sind eine Setzung: Sie stehen daneben.",
            "exp Σ w log(Verhältnis), ΣO / ΣE oder ein gemeinsames Merkmal",
        ),
        "disclosure": Meaning(
            "Verdeckte Zahlen",
            "Kleine Zahlen von Fällen oder Ereignissen werden nicht gezeigt, auch nichts, woraus sie sich errechnen "
            "ließen, durch Abziehen von Summen oder über das geglättete Verhältnis. Von einer solchen Einrichtung "
            "stehen nur Fallzahlklasse und Ergebnis da; manchmal wird mit ihr eine zweite derselben Summe verdeckt.",
            "primäre und sekundäre Unterdrückung, mindestens drei mögliche Werte für jede verdeckte Zahl",
        ),
    }
)
