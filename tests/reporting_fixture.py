"""Simulated runs for the tests of reporting: 40 hospitals, 400 physicians and two measures, with small providers.

Rows are drawn from a logistic and a log-Gaussian model with effects of hospital and physician; modes solve the score
equation O = P + b/variance exactly, as a fitted mixed model's do, so that attacks on the published figures are real.
"""

from __future__ import annotations

import json
from datetime import datetime

import numpy as np
import pandas as pd
from evidence_fixture import evidence_frames, linked_checks
from scipy import stats

from profiling.store.runs import RunRecord

RUN_ID = "r-7c41e09b"
PLACES = ("Ash", "Birk", "Cran", "Dray", "Elm", "Fern", "Gries", "Hazel", "Kirk", "Oak")
KINDS = (" General", " Royal", " District", " University")
SPECS = {
    "mortality_30d": {
        "name": "mortality_30d",
        "title": "Death within 30 days",
        "question": "Did more patients die within 30 days of admission than their condition on arrival explains?",
        "event": "deaths",
        "outcome": "died_30d",
        "direction": "higher_is_worse",
        "family": "binomial",
        "case_mix": "age + C(sex) + C(admission_type)",
        "inner_expected": "within_hospital",
        "minimum_cases": 25,
        "method": "laplace",
        "flag": {"rule": "funnel", "watch": 0.95, "flag": 0.998},
    },
    "length_of_stay": {
        "name": "length_of_stay",
        "title": "Length of stay",
        "question": "Do patients stay longer than their condition on arrival explains?",
        "unit": "days",
        "outcome": "days_in_hospital",
        "direction": "higher_is_worse",
        "family": "log_gaussian",
        "case_mix": "age + C(sex) + C(admission_type)",
        "inner_expected": "within_hospital",
        "minimum_cases": 25,
        "method": "laplace",
        "flag": {"rule": "interval", "watch": 0.95, "flag": 0.998},
    },
}
LEVELS = [
    {"level": "hospital", "column": "clinic_id", "random": "1"},
    {"level": "physician", "column": "physician_id", "random": "1"},
]
SPREAD = {"hospital": 0.25, "physician": 0.15}
RESIDUAL = 0.5


def hospital_names(count: int) -> list[str]:
    """Fictional names, different from each other."""
    return [
        f"{PLACES[i % 10]}{('wick', 'ford', 'holt', 'stead')[i // 10 % 4]}{KINDS[i % 4]}" + (f" {i}" if i >= 40 else "")
        for i in range(count)
    ]


def simulated_run(
    seed: int = 1,
    hospitals: int = 40,
    physicians_each: int = 10,
    rows: int = 30_000,
    threshold: int = 11,
    names: list[str] | None = None,
    text: str = "",
) -> RunRecord:
    """A whole run. `names` replaces the hospitals' names and `text` is appended to every title and question."""
    generator = np.random.default_rng(seed)
    data = _rows(generator, hospitals, physicians_each, rows)
    names = names or hospital_names(hospitals)
    estimates, checks, limits, calibration, flow, missing, effects, variances = [], [], [], [], [], [], [], []
    for measure, spec in SPECS.items():
        both = {}
        for level in ("hospital", "physician"):
            both[level] = _estimate(data, spec, level, both)
            estimates.append(_named(both[level], measure, level, names, hospitals, physicians_each))
            limits.append(_limits(both[level], measure, level))
        checks.append(_checks(measure, both, data))
        calibration.append(_calibration(data, measure, spec))
        flow.append(_flow(measure, rows))
        missing.append(_missing(generator, measure, both))
        effects.append(_effects(measure))
        linked = linked_checks(seed, data, effects[-1], spec["family"] == "binomial", threshold)
        checks.append(linked.assign(measure=measure))
        variances.append(_variances(measure, spec))
    table = pd.concat(estimates, ignore_index=True)
    specs = {
        m: dict(s, providers=LEVELS, title=s["title"] + text, question=s["question"] + text) for m, s in SPECS.items()
    }
    return RunRecord(
        run={
            "run_id": RUN_ID,
            "created_at": datetime(2024, 6, 11, 9, 14),
            "status": "fitted",
            "seed": 20240101,
            "version": "0.1.0",
            "title": "Care in the demonstration region" + text,
            "config_text": "title: Care\ndatabase: postgresql+psycopg://me:s3cret@host/care\nseed: 20240101\n",
            "config_sha256": "5b0e" + "0" * 56 + "c2d9",
            "threshold": threshold,
            "output_json": None,
        },
        inputs=pd.DataFrame(
            {
                "run_id": RUN_ID,
                "source": ["encounters", "patients"],
                "file_name": ["encounters.csv.gz" + text, "patients.csv.gz"],
                "sha256": ["ab" * 32, "cd" * 32],
                "rows_read": [rows + 150, 22_000],
                "rows_accepted": [rows, 21_995],
                "rows_rejected": [150, 5],
            }
        ),
        timings=pd.DataFrame({"run_id": RUN_ID, "stage": ["load", "fit"], "seconds": [1.25, 2.5]}),
        measures=pd.DataFrame(
            {
                "run_id": RUN_ID,
                "measure": list(specs),
                "position": range(len(specs)),
                "spec_json": [json.dumps(spec) for spec in specs.values()],
                "cohort_sql": "SELECT encounter_id FROM encounters",
                "formula": [spec["case_mix"] for spec in specs.values()],
                "rows_used": len(data),
                "overall_rate": [data["died"].mean(), data["days"].mean()],
            }
        ),
        cohort_flow=pd.concat(flow, ignore_index=True),
        missing_counts=pd.concat(missing, ignore_index=True),
        fixed_effects=pd.concat(effects, ignore_index=True),
        variance_components=pd.concat(variances, ignore_index=True),
        model_checks=pd.concat(checks, ignore_index=True),
        calibration=pd.concat(calibration, ignore_index=True),
        provider_estimates=table.drop(columns=["rule", "watch_limit", "flag_limit"]),
        flags=table[
            ["measure", "level", "provider", "rule", "category", "probability_by_chance", "watch_limit", "flag_limit"]
        ],
        funnel_limits=pd.concat(limits, ignore_index=True),
        rejects=pd.DataFrame({"source": ["encounters"], "rule_id": ["range"], "column_name": ["age"], "rows": [150]}),
        loads=pd.DataFrame(),
        rule_outcomes=pd.DataFrame(
            {
                "source": ["encounters", "encounters", "patients"],
                "rule_id": ["encounters.age.range", "encounters.sex.allowed", "patients.patient_id.unique"],
                "column_name": ["age", "sex", "patient_id"],
                "rows_checked": [rows + 150, rows, 22_000],
                "rows_broken": [150, 0, 5],
            }
        ),
        **evidence_frames(seed, data, table, specs, RUN_ID),
    )


def _rows(generator: np.random.Generator, hospitals: int, physicians_each: int, rows: int) -> pd.DataFrame:
    size = np.exp(generator.normal(0, 0.9, hospitals))
    size[: max(hospitals // 10, 1)] *= 0.02
    hospital = generator.choice(hospitals, rows, p=size / size.sum())
    share = generator.dirichlet(np.full(physicians_each, 2.0), hospitals)
    draw = generator.random(rows)[:, None]
    physician = hospital * physicians_each + np.minimum(
        (np.cumsum(share, axis=1)[hospital] < draw).sum(axis=1), physicians_each - 1
    )
    risk = generator.normal(-2.4, 0.9, rows)
    effect = (
        generator.normal(0, 0.3, hospitals)[hospital] + generator.normal(0, 0.1, hospitals * physicians_each)[physician]
    )
    died = generator.random(rows) < _expit(risk + effect)
    log_days = 1.5 + 0.2 * risk + 0.3 * effect + generator.normal(0, RESIDUAL, rows)
    return pd.DataFrame(
        {
            "hospital": hospital,
            "physician": physician,
            "risk": risk,
            "died": died.astype(float),
            "days": np.exp(log_days),
        }
    )


def _expit(value: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-value))


def _estimate(data: pd.DataFrame, spec: dict, level: str, outer: dict) -> pd.DataFrame:
    binary = spec["family"] == "binomial"
    groups = int(data[level].max()) + 1 if level == "hospital" else max(int(data["physician"].max()) + 1, 1)
    code = data[level].to_numpy()
    eta = data["risk"].to_numpy() if binary else 1.5 + 0.2 * data["risk"].to_numpy()
    if level == "physician":
        eta = eta + outer["hospital"]["mode"].reindex(data["hospital"]).to_numpy()
    total = lambda values: np.bincount(code, weights=values, minlength=groups)  # noqa: E731
    tau = 1 / SPREAD[level] ** 2
    n = np.bincount(code, minlength=groups).astype(float)
    if binary:
        mode = np.zeros(groups)
        for _ in range(30):
            mu = _expit(eta + mode[code])
            mode += (total(data["died"].to_numpy() - mu) - tau * mode) / (total(mu * (1 - mu)) + tau)
        mean = lambda b: _expit(eta + b[code])  # noqa: E731
        information = total(mean(mode) * (1 - mean(mode)))
        observed = total(data["died"].to_numpy())
    else:
        precision = 1 / RESIDUAL**2
        gap = np.log(data["days"].to_numpy()) - eta
        mode = total(gap) * precision / (n * precision + tau)
        information = n * precision
        mean = lambda b: np.exp(eta + b[code] + RESIDUAL**2 / 2)  # noqa: E731
        observed = total(data["days"].to_numpy())
    sd = 1 / np.sqrt(information + tau)
    expected, predicted = total(mean(np.zeros(groups))), total(mean(mode))
    frame = pd.DataFrame(
        {
            "n": n.astype(int),
            "observed": observed,
            "expected": expected,
            "expected_marginal": expected * 1.01,
            "predicted": predicted,
        }
    )
    frame = frame[frame["n"] > 0]
    keep = frame.index
    frame = frame.assign(mode=mode[keep], mode_sd=sd[keep])
    for name in ("observed", "expected", "predicted"):
        frame[f"{name}_rate"] = frame[name] / frame["n"]
    low, high = total(mean(mode - 1.96 * sd))[keep], total(mean(mode + 1.96 * sd))[keep]
    frame["ratio"] = frame["predicted"] / frame["expected"]
    frame["ratio_lower"], frame["ratio_upper"] = low / frame["expected"], high / frame["expected"]
    overall = observed.sum() / n.sum()
    for name, source in (
        ("risk_standardized_rate", "ratio"),
        ("rsr_lower", "ratio_lower"),
        ("rsr_upper", "ratio_upper"),
    ):
        frame[name] = frame[source] * overall
    frame["oe_ratio"] = frame["observed"] / frame["expected_marginal"]
    e = frame["expected_marginal"]
    frame["oe_lower"] = stats.chi2.ppf(0.025, 2 * frame["observed"]).astype(float) / 2 / e if binary else np.nan
    frame["oe_upper"] = stats.chi2.ppf(0.975, 2 * (frame["observed"] + 1)) / 2 / e if binary else np.nan
    frame["z"] = (frame["observed"] - e) / np.sqrt(e) if binary else frame["mode"] / frame["mode_sd"]
    frame["probability_by_chance"] = 2 * stats.norm.sf(frame["z"].abs())
    frame["probability_above"] = stats.norm.cdf(frame["mode"] / frame["mode_sd"])
    frame["reliability"] = 1 - frame["mode_sd"] ** 2 * tau
    frame["expected_rank"] = frame["ratio"].rank()
    width = 1.96 * frame["mode_sd"] / SPREAD[level] * len(frame) / 4
    frame["rank_lower"] = np.clip(frame["expected_rank"] - width, 1, None).round()
    frame["rank_upper"] = np.clip(frame["expected_rank"] + width, None, len(frame)).round()
    frame["percentile"] = 100 * frame["expected_rank"] / len(frame)
    noise = 1 / (1 / frame["mode_sd"] ** 2 - tau)
    frame["cases_for_reliability"] = frame["n"] * noise * tau * 0.7 / 0.3
    p, z = frame["probability_by_chance"], frame["z"]
    side = np.where(z > 0, "higher", "lower")
    category = np.where(p < 0.002, side, np.where(p < 0.05, np.char.add(side, "_watch"), "as_expected"))
    frame["category"] = np.where(frame["n"] < spec["minimum_cases"], "too_few", category)
    frame["rule"] = spec["flag"]["rule"]
    frame["watch_limit"], frame["flag_limit"] = 1 + 1.96 / np.sqrt(e), 1 + 3.09 / np.sqrt(e)
    return frame


def _named(frame: pd.DataFrame, measure: str, level: str, names: list[str], hospitals: int, each: int) -> pd.DataFrame:
    code = frame.index.to_numpy()
    if level == "hospital":
        labels = [f"H{i + 1:03d}" for i in code]
        parents: dict = {
            "parent": None,
            "parent_name": None,
            "n_parents": None,
            "provider_name": [names[i] for i in code],
        }
    else:
        labels = [f"P{i + 1:04d}" for i in code]
        parents = {
            "parent": [f"H{i // each + 1:03d}" for i in code],
            "parent_name": [names[i // each] for i in code],
            "n_parents": 1,
            "provider_name": [f"Dr {chr(65 + i % each)}. {names[i // each].split()[0]}" for i in code],
        }
    return frame.assign(run_id=RUN_ID, measure=measure, level=level, provider=labels, **parents).reset_index(drop=True)


def _limits(frame: pd.DataFrame, measure: str, level: str) -> pd.DataFrame:
    expected = np.geomspace(0.5, frame["expected_marginal"].max() * 1.1, 200)
    watch, flag = 1.96 / np.sqrt(expected), 3.09 / np.sqrt(expected)
    return pd.DataFrame(
        {
            "measure": measure, "level": level, "position": range(200), "expected": expected,
            "lower_flag": np.exp(-flag), "lower_watch": np.exp(-watch),
            "upper_watch": np.exp(watch), "upper_flag": np.exp(flag),
        }
    )  # fmt: skip


def _checks(measure: str, both: dict, data: pd.DataFrame) -> pd.DataFrame:
    outer = both["hospital"]
    values = {
        "log_likelihood": -8274.5, "newton_decrement": 1e-11, "iterations": 9, "converged": 1, "c_statistic": 0.76,
        "brier": 0.071, "calibration_intercept": 0.01, "calibration_slope": 0.99,
        "observed_over_expected": outer["observed"].sum() / outer["expected_marginal"].sum(),
        "icc_hospital": 0.0186, "icc_physician": 0.0067, "median_odds_ratio_hospital": 1.27,
        "median_odds_ratio_physician": 1.15, "rankability_hospital": 0.62, "rankability_physician": 0.11,
        "expected_false_watch_hospital": 0.05 * (outer["category"] != "too_few").sum(),
        "expected_false_flag_hospital": 0.002 * (outer["category"] != "too_few").sum(),
        "expected_false_watch_physician": 15.1, "expected_false_flag_physician": 0.6,
        "residual_sd": RESIDUAL, "rows": len(data),
    }  # fmt: skip
    if measure == "length_of_stay":
        values = {name: value for name, value in values.items() if name not in ("c_statistic", "brier")}
    return pd.DataFrame({"measure": measure, "name": list(values), "value": list(values.values()), "note": None})


def _calibration(data: pd.DataFrame, measure: str, spec: dict) -> pd.DataFrame:
    binary = spec["family"] == "binomial"
    predicted = _expit(data["risk"]) if binary else np.exp(1.5 + 0.2 * data["risk"] + RESIDUAL**2 / 2)
    outcome = data["died"] if binary else data["days"]
    band = pd.qcut(predicted, 10, labels=False) + 1
    frame = pd.DataFrame({"band": band, "n": 1, "observed": outcome, "expected": predicted})
    return frame.groupby("band").sum().reset_index().assign(measure=measure)


def _flow(measure: str, rows: int) -> pd.DataFrame:
    steps = [
        "all accepted encounters",
        "age at least 18",
        "admission_type is emergency",
        "case mix and outcome complete",
    ]
    return pd.DataFrame(
        {
            "measure": measure,
            "position": range(4),
            "step": steps,
            "rows_left": [rows + 900, rows + 895, rows + 40, rows],
        }
    )


def _missing(generator: np.random.Generator, measure: str, both: dict) -> pd.DataFrame:
    cases = both["hospital"]["n"]
    share = np.where(np.arange(len(cases)) % 13 == 5, 0.08, 0.001)
    lost = np.ceil(cases * share).astype(int)
    labels = [f"H{i + 1:03d}" for i in cases.index]
    return pd.DataFrame(
        {
            "measure": measure,
            "level": "hospital",
            "provider": labels,
            "column_name": "age",
            "rows_missing": lost,
            "rows_total": cases.to_numpy() + lost,
        }
    )


def _effects(measure: str) -> pd.DataFrame:
    terms = ["Intercept", "age", "C(sex)[T.M]", "C(admission_type)[T.emergency]"]
    estimate, error = np.array([-2.4, 0.045, 0.12, 0.61]), np.array([0.06, 0.002, 0.03, 0.05])
    return pd.DataFrame(
        {"measure": measure, "position": range(4), "term": terms, "estimate": estimate, "standard_error": error,
         "lower": estimate - 1.96 * error, "upper": estimate + 1.96 * error}
    )  # fmt: skip


def _variances(measure: str, spec: dict) -> pd.DataFrame:
    parts = [("hospital", SPREAD["hospital"] ** 2), ("physician", SPREAD["physician"] ** 2)]
    if spec["family"] != "binomial":
        parts.append(("Residual", RESIDUAL**2))
    return pd.DataFrame(
        [
            {"measure": measure, "position": i, "grouping": g, "term_a": "Intercept", "term_b": None, "covariance": v}
            for i, (g, v) in enumerate(parts)
        ]
    )
