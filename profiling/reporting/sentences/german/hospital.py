"""Sentences of a provider's page, in German."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "provider_events": "{name}: {observed} {event}, wo {expected} zu erwarten waren",
    "provider_values": "{name}: {title} im Mittel {observed} {unit}, wo {expected} zu erwarten waren",
    "within_chance": "; das liegt im Bereich des Zufalls",
    "within_spread": "; das liegt in der üblichen Streuung der {providers}",
    "provider_chance": "; durch Zufall allein geschähe das {chance} {providers}",
    "provider_hidden": "{name}: Zahlen werden nicht veröffentlicht",
    "drawn_in": (
        "Bei {cases} Fällen wird das Verhältnis von {raw} zu {ratio} geglättet; plausibel ist alles von {lower} bis "
        "{upper}."
    ),
    "not_drawn_in": (
        "Bei {cases} Fällen schätzen wir das Verhältnis auf {ratio}; plausibel ist alles von {lower} bis {upper}."
    ),
    "ranks": "Unter {all} {providers} könnte der Rang irgendwo zwischen {low} und {high} liegen.",
    "ranks_narrow": "Unter {all} {providers} liegt der Rang zwischen {low} und {high}.",
    "hidden_lede": (
        "Fallzahl: {band}. Zahlen von 1 bis {most} von Fällen, Ereignissen oder Fällen ohne Ereignis werden nicht "
        "veröffentlicht, auch nichts, woraus sich hier oder bei einer anderen {provider} eine errechnen ließe."
    ),
    "why_expected_lower": (
        "Alle Fälle zusammen: {overall}. Mit dem Risikoprofil dieser {provider} hätte die durchschnittliche {provider} "
        "{expected}: Ihre Fälle haben ein niedrigeres Risiko als die meisten."
    ),
    "why_expected_higher": (
        "Alle Fälle zusammen: {overall}. Mit dem Risikoprofil dieser {provider} hätte die durchschnittliche {provider} "
        "{expected}: Ihre Fälle haben ein höheres Risiko als die meisten."
    ),
    "why_expected": (
        "Alle Fälle zusammen: {overall}. Mit dem Risikoprofil dieser {provider} hätte die durchschnittliche {provider} "
        "{expected}."
    ),
    "why_expected_alone": ("Mit dem Risikoprofil dieser {provider} hätte die durchschnittliche {provider} {expected}."),
    "why_believed": (
        "Beobachtet wurden {observed}. Bei einer Reliabilität von {reliability} schreiben wir etwa {share} des "
        "Unterschieds ihr selbst zu und schätzen ihren langfristigen Wert auf {predicted}."
    ),
    "bundle_note": (
        "Nur für {name}: Diese Seite zeigt die eigenen kleinen Zahlen, die nie veröffentlicht werden. Andere haben "
        "hier keinen Namen."
    ),
    "missing_warning": (
        "Mehr als {share} der Datensätze dieser {provider} für {measures} fehlte ein Merkmal des Risikoprofils; sie "
        "wurden ausgeschlossen. Ihre Zahlen sind mit Vorsicht zu lesen."
    ),
    "peers_sub": "Die {count} nächsten nach Fallzahl ({cases}) und erwartetem Wert ({expected}).",
    "peers_finding": (
        "Von den {count} nach Größe und Risikoprofil nächsten {have} {higher} ein höheres geglättetes Verhältnis."
    ),
    "strip_title": "Diese {provider} bei jeder Kennzahl",
    "strip_sub": "Feine Striche: alle {providers}. Zeichen und Balken: diese {provider} und ihr 95-%-Intervall.",
    "why_sub": "Schritt für Schritt vom Wert der durchschnittlichen {provider} zu dem, den wir annehmen.",
    "peers_title": "Ähnliche {providers}",
    "how_judged": "Wie diese Ergebnisse beurteilt werden",
    "all_defined": "Jede Zahl ist erklärt auf der Seite der",
    "methods_page": "Methoden",
    "provider_too_few": "{name}: zu wenige Fälle für eine Aussage",
    "provider_expected_both": "{name}: bei beiden Kennzahlen wie erwartet",
    "provider_expected_all": "{name}: bei allen {count} Kennzahlen wie erwartet",
    "chance_too_few": "weniger Fälle, als die Kennzahl verlangt",
    "by_chance_alone": "durch Zufall allein {chance}",
    "rate_of_patients": "{rate} von {cases} Fällen",
    "rate_and_patients": "{rate}; {cases} Fälle",
    "rate_per": "{rate} je {per} {exposure}",
    "unit_per": "je {per} {exposure}",
    "mean_of_patients": "{unit} im Mittel, {cases} Fälle",
    "observed_over_expected": "beobachtet ÷ erwartet",
    "at_the_average": "bei der durchschnittlichen {provider}",
    "in_the_long_run": "was wir auf lange Sicht annehmen",
    "shrunken_is": "{interval}; {predicted} ÷ {expected}, dem Wert ohne eigenen Effekt",
    "in_interval": "95-%-Intervall {interval}",
    # the inner providers of one
    "inner_title": "Ihre {providers}",
    "inner_sub": "Jede im Vergleich: {norm}. {told}",
    "inner_some": "Davon klar zu unterscheiden: {count}.",
    "inner_none": "Keine {inner} lässt sich davon sicher unterscheiden.",
    "inner_shared": "* Auch an anderen {providers} tätig; hier zählen alle ihre Fälle.",
    "norm_own": "der eigene Durchschnitt dieser {provider}",
    "norm_all": "die durchschnittliche {inner}",
}
