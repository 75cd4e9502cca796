"""Other ways of judging the same providers: each against the model fitted and judged by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from profiling.assessment import (
    Attributed,
    ProfileOptions,
    assess,
    profile_providers,
    refit_variants,
    rule_variants,
    sensitivity,
)
from profiling.assessment.honesty import signs_of
from profiling.assessment.variants import Variant, stability
from profiling.modeling import glmm, lmm

OPTIONS = ProfileOptions(minimum_cases=60, seed=1)


def visits(seed: int = 2, n: int = 1500) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    hospital = np.minimum(draw.geometric(0.12, n) - 1, 11)
    x, z = draw.normal(size=n) + 0.5 * (hospital == 2), draw.normal(size=n)
    eta = -1.2 + x + 0.3 * z + draw.normal(0, 0.5, 12)[hospital]
    y = (draw.random(n) < special.expit(eta)).astype(int)
    return pd.DataFrame({"hospital": hospital, "x": x, "z": z, "y": y, "w": eta + draw.normal(size=n)})


def test_refits_are_those_by_hand() -> None:
    table = visits()
    fit = glmm("y ~ x + z + (1 | hospital)", table)
    published = assess(fit, "hospital", OPTIONS)
    other = table.assign(hospital=np.where(table["hospital"] == 0, 1, table["hospital"]))
    found = refit_variants(
        fit, {"hospital": published}, attributed={"elsewhere": Attributed("hospital", other, "said")}
    )
    got = {variant.name: variant for variant in found["hospital"]}
    largest = table["hospital"].value_counts().idxmax()
    by_hand = {
        "without x": glmm("y ~ z + (1 | hospital)", table),
        "without z": glmm("y ~ x + (1 | hospital)", table),
        "without largest hospital": glmm("y ~ x + z + (1 | hospital)", table[table["hospital"] != largest]),
        "elsewhere": glmm("y ~ x + z + (1 | hospital)", other),
    }
    assert set(got) == set(by_hand)
    for name, model in by_hand.items():
        profile = (
            profile_providers(model, "hospital", OPTIONS).set_index("provider").reindex(published.frame["provider"])
        )
        known = profile["category"].notna().to_numpy()
        assert got[name].effect == pytest.approx(profile["ratio"].to_numpy(), abs=1e-5, nan_ok=True)
        assert list(got[name].sign[known]) == list(signs_of(profile["category"][known]))
        assert np.isnan(got[name].sign[~known]).all()
    assert np.isnan(got["without largest hospital"].sign).sum() == np.isnan(got["elsewhere"].sign).sum() == 1
    assert got["elsewhere"].note == "said"


def test_other_rules_are_those_rules_and_never_the_published_one() -> None:
    table = visits()
    fit = glmm("y ~ x + z + (1 | hospital)", table)
    for published in (OPTIONS, replace(OPTIONS, rule="interval"), replace(OPTIONS, overdispersion="additive")):
        assessment = assess(fit, "hospital", published)
        variants = {variant.name: variant for variant in rule_variants(assessment)}
        same = {"additive": "overdispersed"}.get(published.overdispersion, published.rule)
        assert set(variants) == {"funnel", "interval", "empirical_null", "overdispersed"} - {same}
        for name, variant in variants.items():
            way, spread = ("funnel", "additive") if name == "overdispersed" else (name, "none")
            rule = replace(published, rule=way, overdispersion=spread)  # type: ignore[arg-type]
            wanted = profile_providers(fit, "hospital", rule)["category"]
            assert list(variant.sign) == list(signs_of(wanted))


def test_a_continuous_outcome_without_shrinkage_is_the_test_of_its_mean_residual() -> None:
    assessment = assess(lmm("w ~ x + z + (1 | hospital)", visits()), "hospital", replace(OPTIONS, rule="interval"))
    variants = {variant.name: variant for variant in rule_variants(assessment)}
    assert set(variants) == {"empirical_null", "unshrunken"}
    frame = assessment.frame
    wanted = np.where(frame["probability_by_chance"] < 0.05, np.sign(frame["z"]), 0.0)
    assert list(variants["unshrunken"].sign) == list(np.where(frame["category"] == "too_few", 0.0, wanted))


def test_who_is_not_judged_neither_agrees_nor_dissents() -> None:
    assessment = assess(glmm("y ~ x + z + (1 | hospital)", visits()), "hospital", OPTIONS)
    own = signs_of(assessment.frame["category"]).astype(float)
    reverse = np.where(own == 0, 1.0, -own)
    absent = np.where(np.arange(12) < 3, np.nan, own)
    variants = [
        Variant("same", own, None, ""),
        Variant("reverse", reverse, -assessment.frame["ratio"].to_numpy(), ""),
        Variant("absent", absent, assessment.frame["oe_ratio"].to_numpy(), ""),
    ]
    found, table = stability(assessment, variants), sensitivity(assessment, variants, "hospital").set_index("variant")
    judged = assessment.counted
    assert (~judged).any()
    assert found[~judged].isna().all(axis=None)
    assert list(found["methods"][judged]) == list(np.where(np.arange(12) < 3, 2, 3)[judged])
    assert (found["dissent"][judged] == "reverse").all()
    assert (found["agree"] == found["methods"] - 1)[judged].all()
    assert table["flags_changed"].to_dict() == {"same": 0, "reverse": judged.sum(), "absent": 0}
    assert table["providers"]["absent"] == judged[3:].sum()
    assert table["rank_correlation"].to_dict() == pytest.approx(
        {
            "same": 1.0,
            "reverse": -1.0,
            "absent": stats.spearmanr(assessment.frame["ratio"], assessment.frame["oe_ratio"]).statistic,
        }
    )


def test_what_cannot_be_fitted_is_said() -> None:
    table = visits()
    table["z"] = np.where(table["y"] == 1, 1.0, 0.0)
    table["x"] = np.random.default_rng(1).normal(size=len(table))
    fit = glmm("y ~ x + (1 | hospital)", table)
    published = assess(fit, "hospital", OPTIONS)
    one = table.assign(hospital=1)
    found = refit_variants(fit, {"hospital": published}, False, False, {"all one": Attributed("hospital", one, "")})
    (variant,) = found["hospital"]
    assert variant.note.startswith("not possible: ")
    assert np.isnan(variant.sign).all()
    assert sensitivity(published, [variant], "hospital")["flags_changed"].isna().all()
