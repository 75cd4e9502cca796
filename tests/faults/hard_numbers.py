"""Hard data: numbers that are none, odd frames, faulty formulas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hard_data import MODEL, case, frame, refused, same, sound

from profiling import glmm, lmm


def spoiled(column: str, value: object, rows: int = 3) -> pd.DataFrame:
    data = frame()
    return data.assign(**{column: data[column].astype(object).where(data.index >= rows, value).infer_objects()})


def both(formula_tail: str, data: pd.DataFrame, *words: str, **choices: object) -> None:
    for outcome, fit in (("y", glmm), ("v", lmm)):
        with refused(*words):
            fit(f"{outcome} ~ {formula_tail}", data, **choices)


@case
def case_nan_outcome():
    for column, fit in (("y", glmm), ("v", lmm)):
        with refused("outcome", "3 rows"):
            fit(f"{column} ~ x + (1 | g)", spoiled(column, np.nan))


@case
def case_infinite_outcome():
    for column, fit in (("y", glmm), ("v", lmm)):
        with refused("outcome", "3 rows"):
            fit(f"{column} ~ x + (1 | g)", spoiled(column, np.inf))


@case
def case_nan_covariate():
    both("x + (1 | g)", spoiled("x", np.nan), "term x", "3 values")
    both("x + C(kind) + (1 | g)", spoiled("x", np.nan), "x")
    both("z + (1 + x | g)", spoiled("x", np.nan), "x")


@case
def case_infinite_covariate():
    both("x + (1 | g)", spoiled("x", -np.inf), "term x", "3 values")
    both("x + C(kind) + (1 | g)", spoiled("x", np.inf), "x")
    both("z + (1 + x | g)", spoiled("x", np.inf), "x")


@case
def case_missing_factor_covariate():
    both("x + C(kind) + (1 | g)", spoiled("kind", None), "kind")
    both("x + kind + (1 | g)", spoiled("kind", None), "kind")


@case
def case_log_of_zero():
    both("np.log(x) + (1 | g)", spoiled("x", 0.0).assign(x=lambda d: d.x.abs()), "np.log(x)")


@case
def case_nan_weights():
    both("x + (1 | g)", spoiled("z", np.nan).assign(w=lambda d: d.z.abs()), "weights", "3 rows", weights="w")


@case
def case_negative_weights():
    both("x + (1 | g)", frame().assign(w=-1.0), "weights", "negative", weights="w")


@case
def case_zero_weights():
    data = frame().assign(w=lambda d: (d.index % 7 > 0).astype(float))
    for outcome, fit in (("y", glmm), ("v", lmm)):
        whole = sound(fit(f"{outcome} ~ x + (1 | g)", data, weights="w"))
        same(whole, fit(f"{outcome} ~ x + (1 | g)", data[data.w > 0]))


@case
def case_all_weights_zero():
    both("x + (1 | g)", frame().assign(w=0.0), "weights", "zero", weights="w")


@case
def case_nan_offset():
    with refused("offset", "3 rows"):
        glmm("k ~ x + (1 | g)", spoiled("z", np.nan), family="poisson", offset="z")


@case
def case_extreme_offset():
    data = frame()
    a = sound(glmm("k ~ x + (1 | g)", data, family="poisson", offset=np.full(400, 500.0)))
    b = glmm("k ~ x + (1 | g)", data, family="poisson")
    assert a.log_likelihood == pytest.approx(b.log_likelihood, abs=1e-7)
    assert a.fixed_effects["Intercept"] + 500 == pytest.approx(b.fixed_effects["Intercept"], abs=1e-5)


@case
def case_missing_grouping():
    both("x + (1 | g)", spoiled("g", np.nan), "grouping factor g", "3 rows")
    both("x + (1 | kind)", spoiled("kind", None), "grouping factor kind", "3 rows")


@case
def case_nullable_missing():
    data = frame().assign(x=lambda d: d.x.mul(10).round().astype("Int64"))
    data.loc[:2, "x"] = pd.NA
    both("x + (1 | g)", data, "x", "3 values")
    both("x + C(kind) + (1 | g)", data, "x")


@case
def case_nullable_types():
    data = frame().assign(x=lambda d: d.x.mul(10).round())
    plain = glmm("y ~ x + z + (1 | g)", data.assign(z=(data.z > 0).astype(float)))
    other = data.assign(x=data.x.astype("Int64"), y=data.y.astype("Int8"), z=(data.z > 0).astype("boolean"))
    same(sound(glmm("y ~ x + z + (1 | g)", other.assign(g=data.g.astype("Int64")))), plain)
    same(sound(glmm("y ~ x + z + (1 | g)", other.assign(x=data.x.astype("Float64")))), plain)


@case
def case_negative_cluster_weights():
    both("x + (1 | g)", frame(), "cluster_weights", "negative", cluster_weights=-np.ones(20))
    both("x + (1 | g)", frame(), "cluster_weights", "missing", cluster_weights=np.full(20, np.nan))


@case
def case_no_rows():
    both("x + (1 | g)", frame().iloc[:0], "no rows")


@case
def case_unknown_column():
    both("x + nowhere + (1 | g)", frame(), "nowhere")
    with refused("nowhere"):
        glmm("nowhere ~ x + (1 | g)", frame())


@case
def case_unknown_grouping():
    both("x + (1 | nowhere)", frame(), "nowhere")


@case
def case_unknown_weights():
    both("x + (1 | g)", frame(), "nowhere", weights="nowhere")


@case
def case_wrong_length_weights():
    both("x + (1 | g)", frame(), "weights", "3 values", "400", weights=[1.0, 1.0, 1.0])


@case
def case_no_random_term():
    both("x", frame(), "at least one random term")


@case
def case_unbalanced_brackets():
    both("x + (1 | g", frame(), "brackets")
    both("x + 1 | g)", frame(), "brackets")


@case
def case_bar_outside_brackets():
    both("x + 1 | g", frame(), "brackets")


@case
def case_no_outcome():
    with refused("outcome"):
        glmm("~ x + (1 | g)", frame())


@case
def case_duplicate_column_names():
    data = frame().rename(columns={"z": "x"})
    both("x + (1 | g)", data, "x", "twice")


@case
def case_repeated_index():
    data = frame()
    odd = data.set_index(pd.Index(np.zeros(400, dtype=int)))
    for formula in ("y ~ x + (1 | g)", "y ~ x + C(kind) + (1 | g)"):
        same(sound(glmm(formula, odd)), glmm(formula, data))


@case
def case_unicode_labels():
    names = [
        "مستشفى",
        "Ωmega",
        "a b",
        "🏥",
        "É",
        "E\u0301",
        "z",
        "Z",
        "ß",
        "ss",
        "中",
        " ",
        "-",
        "1",
        "10",
        "2",
        "#",
        "%",
    ]
    names += ["`", "'"]
    data = frame()
    fit = sound(glmm("y ~ x + (1 | Ward)", data.assign(Ward=np.array(names)[data.g])))
    same(fit, glmm(MODEL, data))
    assert list(fit.levels("Ward")) == sorted(names)
    assert "🏥" in list(fit.random_effects("Ward")["level"])


@case
def case_mixed_labels():
    data = frame()
    mixed = data.assign(g=[value if value % 2 else str(value) for value in data.g])
    both("x + (1 | g)", mixed, "grouping factor g", "types")


@case
def case_small_integer_types():
    data = frame().assign(h=lambda d: d.index % 110, x=lambda d: d.x.mul(20).round())
    small = data.assign(g=data.g.astype("int8"), h=data.h.astype("int8"), x=data.x.astype("int8"))
    small["y"] = data.y.astype("uint8")
    same(glmm("y ~ x + I(x * 1.0) + (1 | g) + (1 | h)", small), glmm("y ~ x + I(x * 1.0) + (1 | g) + (1 | h)", data))
    same((glmm("y ~ x + (1 | g:h)", small)), glmm("y ~ x + (1 | g:h)", data))


@case
def case_unknown_family():
    with refused("gamma", "binomial", "poisson"):
        glmm(MODEL, frame(), family="gamma")


@case
def case_even_points():
    with refused("points", "odd"):
        glmm(MODEL, frame(), method="agq", points=4)
