"""Models from Arrow: the same fits as from a frame, and numbers read where they lie."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from profiling import gee, glmm, lmm, structure
from profiling.errors import ModelError
from profiling.frames import frame_of


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = 900
    data = pd.DataFrame(
        {
            "age": rng.normal(60, 10, n),
            "sick": rng.integers(0, 2, n).astype(np.int8),
            "dose": rng.normal(size=n).astype(np.float32),
            "sex": rng.choice(["m", "f", "x"], n),
            "ward": pd.Categorical(rng.choice(["b", "a", "c"], n), ["c", "b", "a"]),
            "hospital": rng.integers(0, 30, n),
            "unused": rng.choice(["p", "q"], n),
        }
    )
    eta = 0.03 * (data["age"] - 60) + 0.4 * data["sick"] + rng.normal(0, 0.6, 30)[data["hospital"]]
    return data.assign(died=(rng.random(n) < 1 / (1 + np.exp(-eta))).astype(np.int64), cost=eta + rng.normal(size=n))


def shapes(frame: pd.DataFrame) -> dict[str, object]:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    batches = table.to_batches(max_chunksize=250)
    return {
        "table": table,
        "chunked": pa.Table.from_batches(batches),
        "batches": batches,
        "batch": table.combine_chunks().to_batches()[0],
        "reader": pa.RecordBatchReader.from_batches(table.schema, batches),
    }


@pytest.mark.parametrize("kind", ["table", "chunked", "batches", "batch", "reader"])
@pytest.mark.parametrize("fixed", ["age + sick + dose", "bs(age, df=4) + C(sex) + ward + sick:dose"])
def test_the_fits_of_a_frame(frame, kind, fixed):
    data = shapes(frame)[kind]
    own = glmm(f"died ~ {fixed} + (1 | hospital)", data)
    reference = glmm(f"died ~ {fixed} + (1 | hospital)", frame)
    pd.testing.assert_series_equal(own.fixed_effects, reference.fixed_effects)
    assert own.log_likelihood == reference.log_likelihood
    np.testing.assert_array_equal(own.levels("hospital"), reference.levels("hospital"))
    new = shapes(frame[:400])[kind]
    expected = reference.predict(frame[:400].reset_index(drop=True))
    pd.testing.assert_series_equal(own.predict(new), expected, check_names=False)


@pytest.mark.parametrize("kind", ["table", "chunked"])
def test_other_models_and_words(frame, kind):
    data = shapes(frame)[kind]
    linear = [lmm("cost ~ age + (1 + dose | hospital)", one, weights="age") for one in (data, frame)]
    pd.testing.assert_series_equal(linear[0].fixed_effects, linear[1].fixed_effects)
    marginal = [gee("died ~ age + sick + dose + C(sex)", one, "hospital", offset="dose") for one in (data, frame)]
    pd.testing.assert_series_equal(marginal[0].fixed_effects, marginal[1].fixed_effects)
    pd.testing.assert_frame_equal(marginal[0].covariance, marginal[1].covariance)
    assert structure(data, ["hospital", "ward"]).text() == structure(frame, ["hospital", "ward"]).text()


def test_numbers_in_one_piece_are_views_and_columns_that_no_text_mentions_are_left(frame):
    table = shapes(frame)["table"]
    found = frame_of(table, "cost ~ age + C(sex)", np.ones(3), None, "hospital")
    assert set(found.columns) == {"cost", "age", "sex", "hospital"}
    for name in ("cost", "age", "hospital"):
        buffer = table.column(name).chunk(0).buffers()[1]
        assert found[name].to_numpy().ctypes.data == buffer.address
    chunked = frame_of(shapes(frame)["chunked"], "cost ~ age")
    assert isinstance(chunked["age"].dtype, pd.ArrowDtype)


def test_missing_values_and_what_is_no_table_are_named(frame):
    gap = shapes(frame.assign(age=frame["age"].where(frame["sick"] == 1), hospital=frame["hospital"].astype(float)))
    with pytest.raises(ModelError, match=r"term age.*values that are missing or infinite"):
        glmm("died ~ age + (1 | hospital)", gap["table"])
    with pytest.raises(ModelError, match=r"term age.*values that are missing or infinite"):
        gee("died ~ age", gap["chunked"], "hospital")
    with pytest.raises(ModelError, match="data: a dict; expected a pandas frame, an Arrow table"):
        glmm("died ~ age + (1 | hospital)", frame.to_dict("list"))
    twice = shapes(frame)["table"].append_column("age", pa.array(np.zeros(900)))
    with pytest.raises(ModelError, match="column age: stands twice"):
        glmm("died ~ age + (1 | hospital)", twice)
