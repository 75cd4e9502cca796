"""What the bundle of a provider says beside its page."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "bundle_blind": "another {level} ({number})",
    "bundle_link": "{link} for {measure}",
    "bundle_readme": """\
{title}
Run {run}: {name}

For the recipient only: these files hold its own patients and small counts, which are never published.

index.html            the page of this {noun}, with its own counts
summary.csv           its figures and those of its own {inner}, as the run found them
worksheet_NAME.csv    one row an encounter of measure NAME; none for a measure of successes out of trials
coefficients_NAME.csv the coefficients behind the linear predictor
manifest.json         the SHA-256 of every file

How to recompute NAME from its worksheet, row by row (g is {links}):
  expected  = g^-1(linear_predictor)                    sum: E
  predicted = g^-1(linear_predictor + hospital_effect)  sum: P
  ratio     = P / E                                     the shrunken ratio
  O / E     = sum(observed) / sum(expected_marginal)    the raw ratio; expected_marginal is averaged over the effects
A physician's own: predicted adds physician_effect; expected keeps hospital_effect where the measure compares within
the hospital (inner_expected: within_hospital), else it has none.
""",
}
