"""The model with social risk beside the one without: by hand, with gaps, and where it cannot be fitted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

from profiling.assessment import ProfileOptions, assess, profile_providers
from profiling.config import Measure
from profiling.modeling import glmm
from profiling.pipeline.social_risk import social_risk_frames


def examined(gaps: int) -> tuple[Measure, Any]:
    draw = np.random.default_rng(5)
    hospital, poor = draw.integers(0, 10, 1500), draw.integers(0, 2, 1500).astype(float)
    poor[hospital == 4] = 1.0
    x = draw.normal(size=1500)
    died = (draw.random(1500) < special.expit(-1.5 + 0.5 * x + 1.2 * poor)).astype(int)
    rows = pd.DataFrame({"hospital": hospital, "poor": poor, "x": x, "died": died})
    rows.loc[: gaps - 1, "poor"] = np.nan
    measure = Measure.model_validate(
        {
            **{"name": "m", "title": "M", "question": "?", "outcome": "died", "family": "binomial", "case_mix": "x"},
            **{"direction": "higher_is_worse", "providers": [{"level": "hospital", "column": "clinic_id"}]},
            **{"social_risk": "poor", "subgroups": ["poor"]},
        }
    )
    fit, options = glmm("died ~ x + (1 | hospital)", rows), ProfileOptions(seed=2)
    assessments = {"hospital": assess(fit, "hospital", options)}
    return measure, SimpleNamespace(cases=SimpleNamespace(rows=rows), fit=fit, options=options, assessments=assessments)


@pytest.mark.parametrize(("gaps", "rows", "note"), [(0, 1500.0, ""), (40, 1460.0, ""), (4, None, "all but under 11")])
def test_the_second_model_is_that_of_the_rows_with_social_risk(gaps: int, rows: float | None, note: str) -> None:
    measure, seen = examined(gaps)
    found = social_risk_frames(measure, seen, 11)
    held = seen.cases.rows.dropna()
    model = glmm("died ~ x + poor + (1 | hospital)", held)
    wanted = profile_providers(model, "hospital", ProfileOptions(posterior="plug_in"))
    both = found["social_risk"]
    assert both["ratio_with"].to_numpy() == pytest.approx(wanted["ratio"].to_numpy(), abs=1e-5)
    assert both["category_with"].tolist() == wanted["category"].tolist()
    # The hospital of the poor is blamed by the model that does not know them.
    assert both.loc[4, "ratio_without"] > 1.15 > 1.1 > both.loc[4, "ratio_with"]
    checks = found["model_checks"].set_index("name")
    told = checks.loc["social_risk_rows"]
    assert np.isnan(told["value"]) if rows is None else told["value"] == rows
    assert told["note"] == note
    assert checks["value"]["social_risk_coefficient:poor"] == pytest.approx(model.fixed_effects["poor"], abs=1e-5)
    groups = found["subgroups"].set_index(["model", "value"])["ratio"]
    # Without social risk in it the model expects too little of the poor; with it their numbers agree.
    assert groups["main", "1"] > 1.05
    assert groups["social_risk", "1"] == pytest.approx(1.0, abs=0.01)


def test_a_second_model_that_cannot_be_fitted_is_said_and_stops_nothing() -> None:
    measure, seen = examined(0)
    seen.cases.rows["poor"] = seen.cases.rows["died"] * 1.0
    found = social_risk_frames(measure, seen, 11)
    assert "social_risk" not in found
    assert found["model_checks"]["name"].tolist() == ["social_risk_unavailable"]
    nothing = measure.model_copy(update={"social_risk": None})
    assert social_risk_frames(nothing, seen, 11)["model_checks"].empty
