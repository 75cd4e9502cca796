"""The rules by which providers are flagged, in words, in German."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "rule_funnel": (
        "Eine {provider} wird durch einen exakten Test ihrer beobachteten gegen die erwartete Zahl ({event}) "
        "beurteilt: jenseits der {flag_level}-Grenzen „höher“ oder „niedriger als erwartet“, jenseits der "
        "{watch_level}-Grenzen „beachten“."
    ),
    "rule_interval": (
        "Eine {provider} wird nach dem Posterior-Intervall ihres geglätteten Verhältnisses beurteilt: Schließt das "
        "{flag_level}-Intervall die Norm aus, „höher“ oder „niedriger als erwartet“, schließt das "
        "{watch_level}-Intervall sie aus, „beachten“."
    ),
    "rule_meaningful_difference": (
        "Eine {provider} wird nach der Posterior-Wahrscheinlichkeit beurteilt, dass ihr Verhältnis um mehr von 1 "
        "abweicht, als ein Handeln lohnt: über {flag_level} „höher“ oder „niedriger als erwartet“, über {watch_level} "
        "„beachten“."
    ),
    "rule_empirical_null": (
        "Eine {provider} wird danach beurteilt, wie weit ihr Ergebnis von der großen Mehrheit der {providers} "
        "abweicht: jenseits ihrer {flag_level}-Grenzen „höher“ oder „niedriger als erwartet“, jenseits der "
        "{watch_level}-Grenzen „beachten“."
    ),
    "rule_false_discovery": (
        "{Providers} werden so beurteilt, dass der Anteil falscher Auffälligkeiten klein bleibt: unter eins minus "
        "{flag_level} bei „höher“ oder „niedriger als erwartet“, unter eins minus {watch_level} bei „beachten“."
    ),
    "rule_local_false_discovery": (
        "Eine {provider} ist auffällig, wo {providers} mit ihrem Ergebnis mit einer Wahrscheinlichkeit von mindestens "
        "{flag_level} nicht von durchschnittlicher Art sind („höher“ oder „niedriger als erwartet“); ab {watch_level} "
        "„beachten“."
    ),
    "rule_srtr": (
        "Eine {provider} ist, nur nach oben, auffällig, wo die Wahrscheinlichkeit, dass ihr Verhältnis über 1,2 liegt, "
        "75 % übersteigt, oder dass es über 2,5 liegt, 10 %."
    ),
    "rule_ahrq": (
        "Eine {provider} wird nach ihrer geglätteten Rate beurteilt: Schließt ihr {flag_level}-Intervall die "
        "Gesamtrate aus, „höher“ oder „niedriger als erwartet“, schließt das {watch_level}-Intervall sie aus, "
        "„beachten“."
    ),
    "limits_widened": (
        "{Providers} unterscheiden sich stärker, als der Zufall erklärt; daher wurden die Grenzen geweitet: Innerhalb "
        "liegt eine {provider} in der üblichen Streuung."
    ),
    "power": (
        "Eine typische {provider}, deren wahres Verhältnis 1,5 ist, läge mit einer Wahrscheinlichkeit von {power} "
        "jenseits der äußeren Grenze."
    ),
    "false_flags_spread": (
        "Unterschieden sich die {providers} nur um die übliche Streuung, lägen nach dieser Regel etwa {watch} "
        "außerhalb der {watch_level}-Grenzen und {flag} jenseits der {flag_level}-Grenzen."
    ),
    "false_flags": (
        "Wären alle {providers} genau durchschnittlich, lägen nach dieser Regel etwa {watch} außerhalb der "
        "{watch_level}-Grenzen und {flag} jenseits der {flag_level}-Grenzen."
    ),
}
