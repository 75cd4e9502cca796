"""Sentences of the page of a model, in German."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "model_withheld": (
        "Die Summen dieser Kennzahl werden nicht gezeigt, weil sich daraus Zahlen von 1 bis {most} einer {provider} "
        "errechnen ließen; ebenso wenig alles an ihrem Modell, woraus das möglich wäre."
    ),
    "model_risk": (
        "Für jeden Fall wird geschätzt: {what}, {known}. Aufsummiert über die Fälle einer {provider} ergibt das ihre "
        "erwartete Zahl ({total})."
    ),
    "model_family": (
        "Jede {provider} erhält dann ihren eigenen Effekt. {Providers} gelten als Mitglieder einer gemeinsamen "
        "Verteilung, deren Streuung aus den Daten geschätzt wird{spread}. Der Effekt einer kleinen {provider} wird zum "
        "gemeinsamen Mittel hin gezogen, der einer großen kaum."
    ),
    "model_spread": (
        ": Für denselben Fall unterscheiden sich zwei typische {providers} in den Odds um einen Faktor von etwa {ratio}"
    ),
    "model_discrimination": (
        "Das Modell unterscheidet Fälle mit und ohne Ereignis mit einer c-Statistik von {value}; 0,5 wäre geraten und "
        "1 vollständig."
    ),
    "model_balance": "Über alle {providers} ist beobachtet ÷ erwartet {value}.",
    "model_converged": (
        "Die Anpassung fand ihr Maximum: Keine kleine Änderung eines Parameters macht die Daten wahrscheinlicher."
    ),
    "model_unknown": "Wie die Anpassung endete, ist nicht bekannt.",
    "model_headline": "Wie die erwartete Zahl ({event}) entsteht und wie weit ihr zu trauen ist",
    "model_headline_values": "Wie der erwartete Wert ({title}) entsteht und wie weit ihm zu trauen ist",
    "effects_clearest": "Am deutlichsten ist der Effekt von {term}: {column} {estimate} ({interval}).",
    "two_ways_one": (
        "Für einen Fall ein und derselben {provider} vervielfacht {trait} die Odds des Ereignisses mit {ratio}."
    ),
    "two_ways_all": "Über die Fälle aller {providers} zusammen sind es {ratio}.",
    "two_ways_naive": (
        "Ein Modell, das {providers} übergeht, wäre sich zu sicher gewesen: Sein Standardfehler von {trait} müsste "
        "{factor}-mal so groß sein."
    ),
    "two_ways_modest": "Ein Modell, das {providers} übergeht, wäre sich bei keinem dieser Merkmale zu sicher gewesen.",
    "two_ways_design": (
        "Fälle derselben {provider} ähneln sich: Für die Gesamtrate zählen {effect} von ihnen wie einer."
    ),
    "structure_sizes": "Es gibt {count} {providers}, die Hälfte davon mit etwa {size} Datensätzen oder mehr.",
    "structure_sizes_small": "Es gibt {count} {providers}, die Hälfte davon mit weniger als {size} Datensätzen.",
    "structure_nested": "Jede {child} gehört zu einer {parent}.",
    "structure_twins": (
        "Jede {parent} hat genau eine eigene {child}; ihre Effekte lassen sich nicht voneinander unterscheiden."
    ),
    "structure_crossed": "Jede {child} hat Fälle in jeder {parent}.",
    "structure_partial": "Von den {children} haben {share} Fälle in mehr als einer {parent}.",
    "structure_off_main": "Abseits der wichtigsten {parent} einer {child} liegen {share} der Datensätze.",
    "model_shares": "Von dem, was das Risikoprofil nicht erklärt, liegen {first} {rest}.",
    "calibration_providers": (
        "Beobachtet ÷ vorhergesagt, mit dem eigenen Effekt jeder {provider} in der Vorhersage. Wo das Modell die "
        "{providers} gut beschreibt, liegen die Zeichen innerhalb der Grenzen und näher an 1, als es der Zufall allein "
        "erwarten ließe."
    ),
    "two_ways_title": (
        "In einer {provider} vervielfacht {trait} die Odds mit {one}, in der ganzen Bevölkerung mit {population}"
    ),
    "two_ways_sub": (
        "Jede Zeile ist ein Merkmal: um wie viel sein Standardfehler wächst, wenn sich Fälle derselben {provider} "
        "ähneln dürfen. Bei 1 hätte ein Modell ohne {providers} recht gehabt; rechts davon wäre es sich zu sicher "
        "gewesen."
    ),
    "two_ways_question": "Wie sicher wäre sich ein Modell ohne {providers} gewesen?",
    "two_ways_axis": "Standardfehler mit ihnen ÷ ohne sie",
    "two_ways_attenuation": (
        "Das Mitteln über die {providers} zieht Odds Ratios zur 1 hin: Bei dieser Streuung der {providers} behalten "
        "ihre Logarithmen etwa {kept}."
    ),
    "two_ways_gee": (
        "Schätzgleichungen, die nur nach der Bevölkerung fragen und keine Verteilung der {providers} voraussetzen, "
        "ergeben {ratio}."
    ),
    "two_ways_table": "Zwei Arten, es zu sagen, und zwei Standardfehler",
    # who sees whom
    "links_sub": (
        "Links die {parents}, rechts die {children}, jeder Block so hoch wie sein Anteil an den Datensätzen. Dunkler: "
        "Fälle von {children}, die in mehreren {parents} tätig sind."
    ),
    "links_left": "{parents} nach Fallzahl",
    "links_band": "{count}: {band}",
    "links_group_1": "{count} in einer {parent}",
    "links_group_2": "{count} in zwei {parents}",
    "links_group_3": "{count} in drei oder mehr {parents}",
    "links_head_1": "{children} in einer {parent}",
    "links_head_2": "in zwei",
    "links_head_3": "in drei oder mehr",
    "links_nested": "Jede {child} ist in nur einer {parent} tätig",
    "links_several": (
        "{share} der {children} sind in mehr als einer {parent} tätig, mit {away} der Datensätze abseits ihrer "
        "wichtigsten"
    ),
    "links_several_few": "{share} der {children} sind in mehr als einer {parent} tätig",
    "links_table": "Anteil an den Datensätzen nach Größe und Zahl der Arbeitsorte",
    "moves_question": "Wie oft findet die nächste Behandlung anderswo statt?",
    "moves_title": "Von denen, die wiederkommen, kommen {share} in eine andere {provider} als beim letzten Mal",
    "moves_sub": "Jede Zeile enthält gleich viele Behandlungen schon bekannter Personen, nach der Zeit geordnet.",
    "moves_axis": "Anderswo als beim letzten Mal, Prozent",
    "moves_same": "Am Anfang und am Ende waren es {first}.",
    "moves_over_time": "Am Anfang waren es {first}, am Ende {last}.",
    "moves_shared": "Von allen Patientinnen und Patienten waren {share} in mehr als einer {provider}.",
    "moves_table": "Behandlungen in einer anderen {provider} als der letzten, im Lauf der Zeit",
    # other choices
    "sensitivity_question": "Was würden andere Entscheidungen ändern?",
    "sensitivity_sub": (
        "Jede Zeile ist eine andere vertretbare Entscheidung. Ihr Zeichen ist die Rangkorrelation der {providers} mit "
        "der veröffentlichten Reihenfolge: Bei 1 bleibt sie, wie sie ist."
    ),
    "sensitivity_axis": "Rangkorrelation mit der veröffentlichten Reihenfolge",
    "sensitivity_words": "geänderte Ergebnisse",
    "sensitivity_most": "{count} von {all} Ergebnissen ändert {variant}; keine andere Entscheidung ändert mehr",
    "sensitivity_none": "Keine andere Entscheidung ändert ein Ergebnis",
    "sensitivity_order": (
        "Die Reihenfolge der {providers} ändert am meisten {variant}: Rangkorrelation {correlation}."
    ),
    "sensitivity_table": "Andere vertretbare Entscheidungen",
    # the page around them
    "model_title": "{title}, das Modell",
    "model_plain": "Das Modell in einfachen Worten",
    "model_flow": "Wer gezählt wurde",
    "model_flow_sub": "Von allen Datensätzen zu den verwendeten.",
    "model_missing": "Was im Risikoprofil fehlt",
    "model_missing_sub": "Datensätze, denen ein Merkmal fehlt, sind ausgeschlossen.",
    "model_missing_none": "Keinem Datensatz fehlt ein Merkmal des Risikoprofils.",
    "model_effects": "Was das Risikoprofil bewirkt",
    "model_effects_label": "Effekte des Risikoprofils",
    "model_shares_title": "Wo die Variation liegt",
    "model_what_risk": "das Risiko",
    "model_what_value": "das erwartete Ergebnis",
    "model_known": "aus {traits}",
    "model_known_none": "aus der Gesamtrate allein",
    "word_total": "Summe",
    "fact_model": "Modell",
    "fact_effects": "Effekte der",
    "fact_fitted": "Angepasst mit",
    "fact_records": "Verwendete Datensätze",
    "family_binomial": "gemischt logistisch",
    "family_poisson": "gemischt, Poisson",
    "family_log_gaussian": "gemischt linear, für den Logarithmus",
    "family_gaussian": "gemischt linear",
    "shares_patients": "Behandlungen derselben Einrichtung",
    "shares_none": "Für dieses Modell nicht verfügbar.",
    "shares_sub_odds": "Was das Risikoprofil nicht erklärt, auf der Skala der Log-Odds.",
    "shares_sub": "Was das Risikoprofil nicht erklärt, auf der Skala des Modells.",
    "share_between": "zwischen {label}",
    "share_within": "{providers} derselben {provider}",
    "effects_what_binomial": "die Odds des Ereignisses",
    "effects_what_poisson": "die Rate des Ereignisses",
    "effects_what": "das Ergebnis",
    "effects_factor": "Um welchen Faktor jedes Merkmal {what} ändert, bei gleichen übrigen; 1 heißt keine Änderung.",
    "effects_difference": "Um wie viel jedes Merkmal {what} ändert, bei gleichen übrigen; 0 heißt keine Änderung.",
    "calibration_title": "Vom niedrigsten zum höchsten Risiko",
    "calibration_sub": "Fälle in Klassen des vorhergesagten Risikos, das niedrigste zuerst.",
    "calibration_sub_values": "Fälle in Klassen des vorhergesagten Ergebnisses, das niedrigste zuerst.",
    "calibration_table": "Kalibrierung nach Klassen des vorhergesagten Risikos",
    "checks_table": "Kalibrierung und Trennschärfe in einzelnen Zahlen",
    "by_provider_title": "Beschreibt es jede {provider}?",
    "check_balance": "Beobachtet ÷ erwartet, über alle",
    "check_intercept": "Achsenabschnitt der Kalibrierung",
    "check_slope": "Steigung der Kalibrierung",
    "check_c": "c-Statistik",
    "check_brier": "Brier-Wert",
    "check_rankability": "Reihbarkeit der {providers}",
    "check_mor": "Mediane Odds Ratio der {providers}",
    "ideal_c": "1; geraten ergibt 0,5",
    "ideal_rank": "1; nahe 0 ist eine Rangfolge Rauschen",
    "ideal_none": "kein Ideal",
    "fit_title": "Fand die Anpassung ihr Maximum?",
    "fit_table": "Wie die Anpassung endete",
    "fit_notes": "Was zur Anpassung zu sagen ist",
    "fit_method": "Verfahren",
    "fit_likelihood": "Log-Likelihood",
    "fit_decrement": "Newton-Dekrement",
    "fit_iterations": "Iterationen",
    "fit_residual": "Reststandardabweichung",
    # the page of methods
    "methods_headline": "Wie jede Zahl entsteht",
    "methods_lede": (
        "Jede Zahl dieses Berichts hat eine Bedeutung und eine Formel. O, E und P sind beobachtet (observed), erwartet "
        "und vorhergesagt (predicted); y ist das Ergebnis, x das Risikoprofil, b der Effekt einer Einrichtung, σ² die "
        "Varianz dieser Effekte."
    ),
    "methods_rules": "Die Regeln dieses Laufs",
    "methods_marks": "Die Zeichen",
}
