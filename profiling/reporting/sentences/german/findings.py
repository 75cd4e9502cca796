"""Results in words: statuses, headlines, what was seen beside what chance does, in German."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "higher": "Höher als erwartet",
    "higher_watch": "Höher, beachten",
    "as_expected": "Wie erwartet",
    "lower_watch": "Niedriger, beachten",
    "lower": "Niedriger als erwartet",
    "too_few": "Zu wenige Fälle",
    "usual_spread": "In der üblichen Streuung",
    "names_more": "{names} {had} mehr {event} als erwartet",
    "names_fewer": "{names} {had} weniger {event} als erwartet",
    "names_fewer_short": "{names} {had} weniger",
    "names_above": "{names} {had} bei „{title}“ einen höheren Wert als erwartet",
    "names_below": "{names} {had} bei „{title}“ einen niedrigeren Wert als erwartet",
    "names_below_short": "{names} {had} einen niedrigeren",
    "count_more": "{count} {providers} {had} mehr {event} als erwartet",
    "count_fewer": "{count} {providers} {had} weniger {event} als erwartet",
    "count_fewer_short": "{count} {had} weniger",
    "count_above": "{count} {providers} {had} bei „{title}“ einen höheren Wert als erwartet",
    "count_below": "{count} {providers} {had} bei „{title}“ einen niedrigeren Wert als erwartet",
    "count_below_short": "{count} {had} einen niedrigeren",
    "none_events": "Keine {provider} hatte mehr oder weniger {event}, als der Zufall erklärt",
    "none_values": "Keine {provider} weicht bei „{title}“ weiter ab, als der Zufall erklärt",
    "outside": (
        "{watch} von {all} {providers} {lie} außerhalb der {watch_level}-Grenzen, wo {null} {by_chance} erwarten ließe."
    ),
    "beyond_none": "Keine liegt jenseits der {flag_level}-Grenzen, wo {null} {by_chance} erwarten ließe.",
    "beyond": "{flag} {lie} jenseits der {flag_level}-Grenzen, wo {null} {by_chance} erwarten ließe.",
    "null_chance": "der Zufall allein",
    "null_spread": "der Zufall mit der üblichen Streuung",
    "excludes": (
        "Das {watch_level}-Intervall schließt die Norm aus: {watch} von {all} {providers}, wo der Zufall allein "
        "{by_chance} erwarten ließe."
    ),
    "excludes_none": (
        "Das {flag_level}-Intervall schließt sie bei keiner aus, wo der Zufall allein {by_chance} erwarten ließe."
    ),
    "excludes_flag": (
        "Auch das {flag_level}-Intervall schließt sie aus: {flag}, wo der Zufall allein {by_chance} erwarten ließe."
    ),
    "rest": "Für die übrigen {rest} zeigen die Daten keinen klaren Unterschied zum Durchschnitt.",
    "rest_spread": "Die übrigen {rest} liegen in der üblichen Streuung der {providers}.",
    "rest_one_spread": "Die übrige liegt in der üblichen Streuung der {providers}.",
    "rest_one": "Für die übrige zeigen die Daten keinen klaren Unterschied zum Durchschnitt.",
    "too_small": "{count} {providers} hatten für eine Aussage zu wenige Fälle.",
    "too_small_one": "Eine {provider} hatte für eine Aussage zu wenige Fälle.",
    "no_chance": "{watch} von {all} {providers} {lie} außerhalb der {watch_level}-Grenzen.",
    "stand_out_both": "Auffällig: {higher} höher und {lower} niedriger",
    "stand_out_higher": "Auffällig: {higher} höher",
    "stand_out_lower": "Auffällig: {lower} niedriger",
    "stand_out_none": "Auffällig: keine",
}
