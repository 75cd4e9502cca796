"""What the bundle of a provider says beside its page, in German."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "bundle_blind": "andere {level} ({number})",
    "bundle_link": "{link} für {measure}",
    "bundle_readme": """\
{title}
Lauf {run}: {name}

Nur für die Einrichtung selbst: Diese Dateien enthalten ihre eigenen Fälle und kleine Zahlen, die nie veröffentlicht
werden.

index.html            die Seite dieser {noun} mit ihren eigenen Zahlen
summary.csv           ihre Zahlen und die ihrer eigenen {inner}, wie der Lauf sie fand
worksheet_NAME.csv    eine Zeile je Behandlungsfall der Kennzahl NAME; keines zu Erfolgen aus Versuchen
coefficients_NAME.csv die Koeffizienten hinter dem linearen Prädiktor
manifest.json         die SHA-256 jeder Datei

Wie NAME aus dem Arbeitsblatt Zeile für Zeile nachzurechnen ist (g ist {links}):
  expected  = g^-1(linear_predictor)                    Summe: E
  predicted = g^-1(linear_predictor + hospital_effect)  Summe: P
  ratio     = P / E                                     das geglättete Verhältnis
  O / E     = sum(observed) / sum(expected_marginal)    das rohe; expected_marginal ist über die Effekte gemittelt
Für eine Arztperson: predicted enthält auch physician_effect; expected behält hospital_effect, wo die Kennzahl innerhalb
der Klinik vergleicht (inner_expected: within_hospital), sonst enthält es keinen.
""",
}
