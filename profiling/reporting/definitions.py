"""Definitions of every figure the report shows: what it means, how it is computed, who described it."""

from __future__ import annotations

from dataclasses import dataclass

from profiling.reporting.language import current
from profiling.reporting.sentences.german.definitions import MEANINGS
from profiling.reporting.sentences.words import mid_sentence


@dataclass(frozen=True)
class Definition:
    """One figure: `key` is its anchor on the methods page."""

    key: str
    name: str
    meaning: str
    formula: str
    source: str


DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        "case-mix",
        "Case mix",
        "What patients bring with them: the traits that the model takes into account before it compares anybody. "
        "Records that lack one of them are left out, counted and shown.",
        "η = xβ, fitted together with the effects of providers",
        "Iezzoni 2013",
    ),
    Definition(
        "model",
        "The model",
        "A mixed model: each patient’s outcome depends on the case mix and on an effect of each provider. Effects are "
        "taken to come from one normal distribution, whose spread is estimated from the data.",
        "g(E[y | b]) = xβ + b, b ~ N(0, σ²)",
        "Bates, Mächler, Bolker & Walker 2015",
    ),
    Definition(
        "observed",
        "Observed",
        "What happened: the number of events, or the sum (and mean) of the outcome, among the provider’s patients.",
        "O = Σ y",
        "",
    ),
    Definition(
        "expected",
        "Expected",
        "What would have happened to the same patients at an average provider. For tests, funnels and raw ratios it is "
        "averaged over the spread of providers, so that observed and expected agree in total; for the shrunken ratio "
        "the provider’s effect is set to zero.",
        "E = Σ g⁻¹(xβ̂), the own effect at zero or averaged over N(0, σ̂²)",
        "Krumholz et al. 2006; CMS",
    ),
    Definition(
        "predicted",
        "Predicted",
        "What we believe this provider’s patients would experience in the long run, with its effect as far as its "
        "numbers support it.",
        "P = Σ g⁻¹(xβ̂ + b̂)",
        "Krumholz et al. 2006; CMS",
    ),
    Definition(
        "raw-ratio",
        "Raw ratio",
        "Observed over expected, with nothing held back. Its interval is exact for counts.",
        "O / E; limits χ²(α/2; 2O) / 2E and χ²(1 − α/2; 2(O + 1)) / 2E",
        "Breslow & Day 1987",
    ),
    Definition(
        "shrunken-ratio",
        "Shrunken ratio",
        "Predicted over expected. It is drawn in toward 1 by as much as the provider’s numbers leave in doubt. In "
        "brackets its 95 % interval: under the model it holds the true value with 95 % probability.",
        "P / E with the 95 % posterior interval of b carried through",
        "Normand, Glickman & Gatsonis 1997",
    ),
    Definition(
        "standardized-rate",
        "Risk-standardized rate",
        "The shrunken ratio times the overall rate: the rate this provider would have with everybody’s patients.",
        "(P / E) × overall rate",
        "Krumholz et al. 2006",
    ),
    Definition(
        "chance",
        "Chance alone",
        "How often a provider exactly like the average would land this far from the norm, on either side, with these "
        "patients.",
        "two-sided mid-p of O given E (Poisson-binomial for events); from the posterior for other outcomes",
        "Lancaster 1961; Hong 2013",
    ),
    Definition(
        "limits",
        "Funnel limits",
        "Where chance alone leaves 95 % and 99.8 % of providers that are exactly average. Small providers swing more, "
        "so the limits open toward them.",
        "exact limits of O / E at each E",
        "Spiegelhalter 2005",
    ),
    Definition(
        "usual-spread",
        "Usual spread",
        "Where providers differ by more than chance explains, limits may be widened to the spread that most of them "
        "show. Inside such limits a provider is within the usual spread, although its interval may leave out 1.",
        "limits at z · √φ, or with variance 1/E + τ²; φ and τ² from the providers without their extremes",
        "Spiegelhalter 2005; Spiegelhalter et al. 2012",
    ),
    Definition(
        "flag",
        "Flag",
        "The result in words. Each measure names its rule; how many flags the rule would raise if all providers were "
        "average stands beside it. A flag is a reason to look, not a verdict.",
        "beyond 99.8 %: higher or lower than expected; beyond 95 %: watch",
        "Spiegelhalter 2005; Jones, Ohlssen & Spiegelhalter 2008; Efron 2004; Kalbfleisch & Wolfe 2013",
    ),
    Definition(
        "rank",
        "Rank",
        "The 95 % interval of the provider’s rank by ratio among all; 1 is the lowest ratio. A single rank is never "
        "shown, because most providers could hold almost any.",
        "2.5th and 97.5th percentile of the posterior rank",
        "Laird & Louis 1989; Lin, Louis, Paddock & Ridgeway 2006",
    ),
    Definition(
        "reliability",
        "Reliability",
        "The share of the differences between providers of this size that is real and not noise; 0 none, 1 all.",
        "σ² / (σ² + v), v the sampling variance of the provider’s effect",
        "Adams 2009",
    ),
    Definition(
        "effect-spread",
        "Effect, in spreads",
        "A provider’s effect over the spread that its effect would have if all came from one normal family. Large and "
        "small providers are alike on this scale, so that one envelope judges whether they look like one family.",
        "b̂ / √(σ² − s²), s the conditional standard deviation of b̂; envelope of all order statistics together",
        "Skrondal & Rabe-Hesketh 2009; Aldor-Noiman et al. 2013",
    ),
    Definition(
        "shares",
        "Where the variation lies",
        "How much of the variation that the case mix leaves lies between the outer providers, between the inner ones "
        "within them, and between patients.",
        "σ²(level) / (Σσ² + residual), the residual of a logistic model being π²/3",
        "Goldstein, Browne & Rasbash 2002",
    ),
    Definition(
        "median-odds-ratio",
        "Median odds ratio",
        "By how much the odds of the event differ between two typical providers for the same patient.",
        "exp(√2 · Φ⁻¹(0.75) · σ)",
        "Larsen & Merlo 2005",
    ),
    Definition(
        "c-statistic",
        "c-statistic",
        "How well predicted risk tells patients with the event from those without: 0.5 is guessing, 1 is complete.",
        "P(risk of a patient with the event > risk of one without)",
        "Hanley & McNeil 1982",
    ),
    Definition(
        "calibration",
        "Calibration",
        "Whether as many events happen as the model says, from the lowest to the highest risk.",
        "observed against expected by tenth of predicted risk; slope and intercept on the logit scale",
        "Cox 1958; Steyerberg 2019",
    ),
    Definition(
        "subject-specific",
        "Odds ratio at one provider",
        "By what factor a trait changes the odds of the event among patients of one and the same provider.",
        "exp(β) of the mixed model",
        "Zeger, Liang & Albert 1988; Neuhaus, Kalbfleisch & Hauck 1991",
    ),
    Definition(
        "population-averaged",
        "Odds ratio over the population",
        "By what factor a trait changes the odds of the event in the whole population, the effects of providers "
        "averaged out. It lies nearer to 1 than that at one provider, the more so the more providers differ.",
        "the logistic model nearest to E[g⁻¹(xβ + b)]; about β / √(1 + c²σ²), c = 16√3 / (15π)",
        "Zeger, Liang & Albert 1988; Hedeker et al. 2018",
    ),
    Definition(
        "gee",
        "By estimating equations",
        "The same odds ratio asked of the population alone, without a family of providers, and a standard error that "
        "allows for patients of one provider being alike.",
        "generalized estimating equations, exchangeable within the outer provider, corrected sandwich",
        "Liang & Zeger 1986; Kauermann & Carroll 2001",
    ),
    Definition(
        "rank-correlation",
        "Rank correlation",
        "How far the order of providers stays the same under another choice: 1 the same order, 0 no relation.",
        "Spearman’s correlation of the effects",
        "Spearman 1904",
    ),
    Definition(
        "rankability",
        "Rankability",
        "How far the differences between providers can be told apart at all; near 0 a ranking is noise.",
        "σ² / (σ² + median sampling variance)",
        "Van Houwelingen et al. 2000",
    ),
    Definition(
        "stability",
        "Ways of judging",
        "Whether other rules, no shrinkage, another attribution, the model without one trait or without the largest "
        "provider put a provider on the same side: higher, lower or neither, at the limits of watching.",
        "share of the other ways that agree with the published one",
        "Normand & Shahian 2007; Shahian & Normand 2008",
    ),
    Definition(
        "events-to-change",
        "Events to another result",
        "The numbers of events from which on the rule would give another result to the same patients.",
        "first count beyond each limit, less the observed one",
        "Spiegelhalter 2005; exact for the funnel, near for other rules",
    ),
    Definition(
        "e-value",
        "Unrecorded trait",
        "How strong a trait that nobody recorded would have to be to explain a ratio away: how many times as common "
        "among the provider’s patients, and how many times as likely it would make the event.",
        "RR + √(RR (RR − 1)); of 1/RR below one",
        "VanderWeele & Ding 2017",
    ),
    Definition(
        "fifths",
        "Among the fifth",
        "The probability that a provider’s true ratio is among the fifth of the highest, or of the lowest, of all.",
        "share of posterior draws in which its rank lies there",
        "Lin, Louis, Paddock & Ridgeway 2006",
    ),
    Definition(
        "rank-set",
        "Rank held for all together",
        "Ranks that hold for all providers at once with 95 % probability; each interval alone would miss for some.",
        "simultaneous confidence sets of ranks",
        "Mogstad, Romano, Shaikh & Wilhelm 2024",
    ),
    Definition(
        "overlap",
        "Overlap of case mix",
        "How much of a provider’s case mix is found elsewhere too. With less than half of it, a comparison rests on "
        "the model more than on like patients.",
        "Σ min(share here, share elsewhere) over bands of risk",
        "Shahian & Normand 2008",
    ),
    Definition(
        "vlad",
        "Added up over time",
        "Observed less expected, added up from period to period: it climbs while there is more than expected. The "
        "bands are the limits of the funnel for all patients up to there.",
        "Σ (O − E) up to the end of a period",
        "Lovegrove et al. 1997",
    ),
    Definition(
        "cusum",
        "CUSUM",
        "A chart that gains with each event and loses a little with each patient without one, and never falls below "
        "zero. Above its line it signals that the odds have doubled, or in the chart downward halved, for a while. "
        "What is drawn is its largest value in each period.",
        "C = max(0, C + y log R − log(1 − p + Rp)), R = 2 or ½",
        "Steiner, Cook, Farewell & Treasure 2000",
    ),
    Definition(
        "subgroups",
        "Groups of patients",
        "Observed over expected of all patients with one value of a trait, by the case mix as it stands and with "
        "terms of social risk added. Exact limits for counts.",
        "O / E of the group; limits as of the raw ratio",
        "NASEM 2017; Krumholz & Bernheim 2014",
    ),
    Definition(
        "composite",
        "Composite",
        "Several measures of a provider in one figure. It hides which measure drives it, and its weights are an "
        "opinion: they stand beside it.",
        "exp Σ w log(ratio), ΣO / ΣE, or one latent trait",
        "Reeves et al. 2007; Shwartz et al. 2015",
    ),
    Definition(
        "disclosure",
        "Hidden counts",
        "Small counts of patients or events are not shown, nor any figure that would give them back, by subtraction "
        "from totals or through the shrunken ratio. Such a provider shows its case band and result only; sometimes a "
        "second one of the same total is hidden with it.",
        "primary and complementary suppression, at least three values left for each hidden count",
        "CMS cell-size policy; Cox 1980",
    ),
)


def definitions() -> tuple[Definition, ...]:
    """All definitions in the language that is being written; sources are the same in every language."""
    if current() == "en":
        return DEFINITIONS
    said = ((entry, MEANINGS[entry.key]) for entry in DEFINITIONS if entry.key in MEANINGS)
    return tuple(
        Definition(entry.key, text.name, text.meaning, text.formula, text.source or entry.source)
        for entry, text in said
    )


def anchor(key: str, root: str = "") -> str:
    """Address of a definition."""
    return f"{root}methods.html#{key}"


def named(*keys: str) -> tuple[tuple[str, str], ...]:
    """Name as it stands inside a sentence and key of some definitions, in the order asked for."""
    names = {entry.key: mid_sentence(entry.name) for entry in definitions()}
    return tuple((names[key], key) for key in keys)
