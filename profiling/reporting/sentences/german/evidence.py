"""Sentences of what a provider's result rests on, in German."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    # what would change a result
    "firm_title": "Wie sicher das Ergebnis dieser {provider} ist",
    "firm_sub": (
        "Wie viele {event} es dafür brauchte. Im dunkleren Band wäre das Ergebnis wie erwartet, zwischen den Bändern "
        "zu beachten, außerhalb beider höher oder niedriger als erwartet."
    ),
    "firm_sub_three": (
        "Wie viele {event} es dafür brauchte. Im Band wäre das Ergebnis wie erwartet, außerhalb höher oder niedriger "
        "als erwartet."
    ),
    "firm_now": "Beobachtet: {observed} {event}, Ergebnis „{status}“.",
    "firm_more": "{count} mehr ({event}): „{status}“",
    "firm_fewer": "{count} weniger ({event}): „{status}“",
    "firm_near": "Bei dieser Regel sind die Zahlen angenähert, nicht exakt.",
    "firm_table": "Zahlen ({event}), bei denen sich das Ergebnis änderte",
    "from_up": "{count} oder mehr",
    "from_down": "{count} oder weniger",
    "agree_all": "Alle {all} anderen Arten der Beurteilung sagen dasselbe.",
    "agree_one": "Die eine andere Art der Beurteilung sagt dasselbe.",
    "agree_some": "Von {all} anderen Arten der Beurteilung {say} dasselbe: {agree}. Anders urteilen: {dissent}.",
    "agree_none": "Keine von {all} anderen Arten der Beurteilung sagt dasselbe; anders urteilen: {dissent}.",
    "agree_others": "die übrigen",
    "method_funnel": "ein exakter Test gegen den Zufall allein",
    "method_interval": "das Intervall des geglätteten Verhältnisses",
    "method_empirical_null": "Grenzen nach der großen Mehrheit der {providers}",
    "method_overdispersed": "auf die übliche Streuung geweitete Grenzen",
    "method_fixed_effect": "ein Modell ohne Glättung",
    "method_without": "das Modell ohne {term}",
    "method_without_largest": "das Modell ohne die größte {level}",
    "trait_none": (
        "Das Intervall von {interval} enthält 1; es braucht kein unbekanntes Merkmal, um das Verhältnis zu erklären."
    ),
    "trait_needed": (
        "Um das Verhältnis von {ratio} wegzuerklären, müsste ein Merkmal, das niemand erfasst hat, bei ihren Fällen "
        "{value}-mal so häufig sein und das Ereignis {value}-mal so wahrscheinlich machen; um das Intervall bis 1 zu "
        "bringen, {limit}-mal."
    ),
    "rank_fifths": (
        "Der Rang könnte von {low} bis {high} von {all} reichen; mit einer Wahrscheinlichkeit von {top} gehört sie zum "
        "Fünftel der {providers} mit den höchsten Verhältnissen, von {bottom} zu dem mit den niedrigsten."
    ),
    "rank_together": "Für alle {providers} zugleich gehalten, liegt der Rang zwischen {low} und {high}.",
    "under_one_percent": "unter 1\u202f%",
    "over_99_percent": "über 99\u202f%",
    "social_same": (
        "Mit sozialem Risiko im Risikoprofil bleibt das Ergebnis gleich (geglättetes Verhältnis {ratio} statt "
        "{without})."
    ),
    "social_unchanged": "Mit sozialem Risiko im Risikoprofil bleiben Ergebnis und Verhältnis gleich.",
    "social_moved": (
        "Mit sozialem Risiko im Risikoprofil wäre das Ergebnis „{status}“ (geglättetes Verhältnis {ratio} statt "
        "{without})."
    ),
    "overlap_little": (
        "Nur {share} ihres Risikoprofils kommt auch bei anderen {providers} vor: Jeder Vergleich ist mit Vorsicht zu "
        "lesen."
    ),
    # over time
    "trend_sub": (
        "Jedes Zeichen ist ein Zeitraum dieser {provider} in seinen eigenen Grenzen. Darunter: was sich aufsummierte, "
        "und Karten, die mit jedem Ereignis steigen und mit jedem Fall ohne Ereignis sinken."
    ),
    "trend_sub_values": (
        "Jedes Zeichen ist ein Zeitraum dieser {provider} in seinen eigenen Grenzen. Darunter: was sich aufsummierte."
    ),
    "trend_ratio": "Beobachtet ÷ erwartet (log. Skala)",
    "trend_total": "{event} über Erwartung, aufsummiert",
    "trend_more": "Ein anhaltender Anstieg wurde angezeigt: {periods}",
    "trend_fewer": "Ein anhaltender Rückgang wurde angezeigt: {periods}",
    "trend_rose": "Über die Zeiträume summierten sich mehr {event} als erwartet",
    "trend_fell": "Über die Zeiträume summierten sich weniger {event} als erwartet",
    "trend_quiet": "Nichts baute sich auf: Je Zeitraum lag das Verhältnis bei {ratios}",
    "trend_added": "Über {periods} summierten sich {difference} {event} mehr als erwartet.",
    "trend_saved": "Über {periods} summierten sich {difference} {event} weniger als erwartet.",
    "trend_outside": "{count} {lie} außerhalb der {level}-Grenzen, wo der Zufall allein {chance} erwarten ließe.",
    "trend_no_signal": (
        "Die Karten darunter, auf das Doppelte und die Hälfte der Odds abgestimmt, blieben innerhalb ihrer Linien."
    ),
    "trend_alarm": (
        "Die Linien sind so gesetzt, dass sie bei einer {provider} genau wie erwartet in einem Jahr von {chance} "
        "solchen {providers} überschritten werden."
    ),
    "trend_untold": (
        "Der Verlauf über die Zeiträume wird nicht gezeigt: In einem Zeitraum dieser {provider} ist eine Zahl zu klein "
        "zum Veröffentlichen, oder zu wenige Zeiträume haben Fälle. Gezeigt wird er bei dieser Kennzahl für {count}."
    ),
    "trend_table": "{title} nach Zeitraum",
    "comment_title": "Stellungnahme der {provider}",
    "comment_note": "Von der {provider} abgegeben; sie steht hier unverändert.",
}
