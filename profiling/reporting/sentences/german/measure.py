"""Sentences of a measure's page, in German."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "read_events": (
        "Eine {provider} bei 1,4 hatte 40\u202f% mehr {event}, als die durchschnittliche {provider} bei denselben "
        "Fällen gehabt hätte."
    ),
    "read_values": (
        "Eine {provider} bei 1,4 hatte ein um 40\u202f% höheres Mittel, als die durchschnittliche {provider} bei "
        "denselben Fällen gehabt hätte."
    ),
    "read_inner": (
        "{level}-Grenzen: innerhalb kein Zeichen, dass die {provider} abweicht; der Zufall allein bringt {chance} nach "
        "außen."
    ),
    "read_outer": "{level}-Grenzen: außerhalb; durch Zufall allein geschähe das {chance}.",
    "judged_by_interval": (
        "Die Zeichen sind nach dem Intervall des geglätteten Verhältnisses beurteilt, nicht nach diesen Bändern; eine "
        "{provider} kann also innerhalb eines Bandes liegen und auffällig sein."
    ),
    "intervals": (
        "Intervalle enthalten nach dem Modell den wahren Wert mit 95\u202f% Wahrscheinlichkeit. Ob sich zwei "
        "Intervalle überschneiden, ist kein Test der einen {provider} gegen die andere."
    ),
    "intervals_and_limits": (
        "Intervall und Grenzen beantworten verschiedene Fragen; eine {provider} kann also außerhalb der Grenzen "
        "liegen, während ihr Intervall die 1 berührt."
    ),
    "inner_note": "Jede {inner} steht auf der Seite ihrer {outer}. Nicht gezeigt werden die Zahlen von: {hidden}.",
    "aggregates": (
        "Dies sind veröffentlichte Zahlen jeder {provider}: {cases} Fälle, beobachtete und erwartete Zahl ({event}). "
        "Hinter diesem Bericht liegen keine Daten einzelner Personen; das Risikoprofil gilt, wie es veröffentlicht "
        "wurde."
    ),
    "aggregates_shrunken": (
        "Das geglättete Verhältnis nimmt an, dass die Verhältnisse aller {providers} aus einer Gamma-Verteilung "
        "stammen, deren Mittel und Streuung aus der Tabelle geschätzt werden."
    ),
    "read_inner_spread": (
        "{level}-Grenzen: innerhalb die übliche Streuung der {providers}; sie bringt {chance} nach außen."
    ),
    "read_outer_spread": "{level}-Grenzen: außerhalb; durch die übliche Streuung geschähe das {chance}.",
    # effects as one family
    "effects_sub": (
        "Der Effekt jeder {provider} in Einheiten seiner Streuung: 0 ist die durchschnittliche {provider}, zwei "
        "Drittel liegen innerhalb von 1. Erst wie viele wo liegen; dann der Reihe nach neben dem, was eine "
        "Normalverteilung dort zeigte. Das Band enthält in 19 von 20 solchen Verteilungen alle."
    ),
    "effects_normal": "Die Effekte der {providers} sehen nach einer gemeinsamen Normalverteilung aus",
    "effects_inside": (
        "Keine der {count} gezeigten {providers} liegt außerhalb der 95-%-Hüllkurve; die Verteilung, aus der das "
        "Modell sie nimmt, beschreibt sie also."
    ),
    "effects_beyond": "Weiter außen, als eine gemeinsame Normalverteilung zulässt, {lie} {who}",
    "effects_outside": (
        "Von {all} gezeigten {providers} {lie} außerhalb der 95-%-Hüllkurve, als gehörten sie nicht zur Verteilung, "
        "aus der das Modell die {providers} nimmt: {who}. Was weit von ihr liegt, wird zu stark geglättet: Das rohe "
        "Verhältnis ist neben dem geglätteten zu lesen."
    ),
    "effects_closer": "Die Effekte der {providers} liegen dichter als eine Normalverteilung ihrer Streuung",
    "effects_narrow": (
        "Einige {providers} liegen näher am Durchschnitt, als die 95-%-Hüllkurve zulässt: Die meisten weichen wenig "
        "ab, und die Streuung kommt von wenigen. Die meisten werden dann zu wenig geglättet, die wenigen zu stark."
    ),
    "effects_table": "Effekte der {providers}, die am weitesten von einer Normalverteilung abweichen",
    # volume and reliability
    "reliable_sub": (
        "Jedes Zeichen ist eine {provider}. Die Reliabilität ist der Anteil der Unterschiede zwischen {providers} "
        "ihrer Größe, der echt ist. Die Linie gilt für eine {provider} mit dem üblichen Risikoprofil."
    ),
    "reliable_none": "Keine von {all} {providers} hat eine Reliabilität von {target} oder mehr",
    "reliable_all": "Alle {all} {providers} haben eine Reliabilität von {target} oder mehr",
    "reliable_one": "Eine von {all} {providers} hat eine Reliabilität von {target} oder mehr",
    "reliable_some": "{count} von {all} {providers} haben eine Reliabilität von {target} oder mehr",
    "reliable_needed": (
        "Es braucht etwa {cases} Fälle, bis {share} des Unterschieds, der bei einer {provider} zu sehen ist, ihr "
        "eigener ist. Bei weniger ist das geglättete Verhältnis vor allem das Übliche, nicht was dort geschah."
    ),
    "reliable_never": (
        "Die Daten zeigen keine dauerhaften Unterschiede zwischen {providers}; keine Fallzahl würde genügen."
    ),
    "reliable_mark": "etwa {cases} Fälle",
    "reliable_table": "Reliabilität der {providers} nach Fallzahl",
    # groups of patients
    "groups_axis": "Beobachtet ÷ erwartet, 95-%-Intervall (log. Skala)",
    "groups_axis_values": "Beobachtet ÷ erwartet (log. Skala)",
    "groups_without": "ohne soziales Risiko",
    "groups_with": "soziales Risiko im Risikoprofil",
    "groups_sub": (
        "Jede Zeile ist eine Gruppe aller Fälle zusammen. Das Risikoprofil sagt, was bei ihr zu erwarten ist; das "
        "zweite Zeichen nimmt hinzu, was über ihr soziales Risiko bekannt ist."
    ),
    "groups_sub_one": (
        "Jede Zeile ist eine Gruppe aller Fälle zusammen; das Risikoprofil sagt, was bei ihr zu erwarten ist."
    ),
    "groups_none": "Keiner Gruppe ergeht es anders, als das Risikoprofil sagt",
    "groups_values": "Beobachtet gegen erwartet nach Gruppen von Fällen",
    "groups_more": "Bei {trait} {value} das {ratio}-Fache der erwarteten Zahl: {event}",
    "groups_fewer": "Bei {trait} {value} nur das {ratio}-Fache der erwarteten Zahl: {event}",
    "groups_outside": (
        "{count} von {all} Gruppen {leave} mit ihrem Intervall die 1 aus, wo der Zufall allein {chance} erwarten ließe."
    ),
    "groups_outside_social": "Mit sozialem Risiko im Risikoprofil {do} {count} davon.",
    "groups_hidden": "nicht gezeigt: Zahlen von 1–{most}, oder solche ließen sich errechnen",
    "groups_table": "Gruppen von Fällen",
    "social_sub": (
        "Soziales Risiko gehört zu den Menschen, nicht zur Versorgung; wo es aber mit schlechterer Versorgung "
        "einhergeht, verdeckt das seine Aufnahme ins Risikoprofil. Daher wird beides gezeigt, und die Ergebnisse "
        "gelten ohne."
    ),
    "social_none": "Kein Ergebnis von {all} {providers} ändert sich, wenn soziales Risiko ins Risikoprofil kommt",
    "social_one": (
        "Eine von {all} {providers} erhält ein anderes Ergebnis, wenn soziales Risiko ins Risikoprofil kommt"
    ),
    "social_some": (
        "{count} von {all} {providers} erhalten ein anderes Ergebnis, wenn soziales Risiko ins Risikoprofil kommt"
    ),
    "social_ratios": "Geglättete Verhältnisse ändern sich um einen Faktor von {low} bis {high}.",
    "social_ratios_same": "Kein geglättetes Verhältnis ändert sich um auch nur ein Hundertstel.",
    "social_table": "Ergebnisse der {providers} mit und ohne soziales Risiko",
    # the page around them
    "caterpillar_title": "Wie sicher ist der Wert jeder {provider} und ihr Rang?",
    "caterpillar_sub": (
        "Verhältnisse, so weit zum Durchschnitt hin geglättet, wie es die Fallzahl jeder {provider} verlangt. Die "
        "meisten {providers} könnten viele verschiedene Ränge haben."
    ),
    "shrinkage_sub": (
        "Oben: das rohe Verhältnis. Unten: das geglättete. Das Verhältnis einer {provider} mit wenigen Fällen ist "
        "weniger sicher und wird stärker zur 1 hin gezogen."
    ),
    "funnel_sub": (
        "Jedes Zeichen ist eine {provider}. Kleine {providers} schwanken durch Zufall stärker; daher öffnen sich die "
        "Grenzen nach links."
    ),
    "figure_files": "Abbildung:",
    "all_counted": "Alle {count} {providers}",
    "surprising_first": "Die auffälligsten Ergebnisse stehen vorn.",
    "counts_by_result": "Zahl der Einrichtungen nach Ergebnis",
    "whole_model": "Das ganze Modell",
    "whole_model_is": ": wer gezählt wurde, was das Risikoprofil bewirkt, Kalibrierung und Anpassung.",
    "rule_title": "Die Regel",
    "definitions_title": "Begriffe",
    "fact_average": "Mittel",
    "fact_period": "Zeitraum",
    "cases_in": "{cases}; {providers}",
    "few_in": "wenige; {providers}",
    "lower_preferred": "Niedriger ist erwünscht",
    "higher_preferred": "Höher ist erwünscht",
    "one_means": "1 heißt wie erwartet",
    "model_short": "Das Modell in Kürze",
    "figures_from": "Woher die Zahlen stammen",
    "norm_within": "der durchschnittlichen {inner} ihrer {provider}",
    "inner_against": "{providers}, jede verglichen mit {norm}",
    "mean_of": "Mittel {unit}",
    "event_observed": "{event} beobachtet",
}
