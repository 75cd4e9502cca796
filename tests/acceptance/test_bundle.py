"""A provider's bundle: every figure recomputed from its worksheet, its own counts shown, nobody else's."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from small_region import write_region

from profiling.cli.main import execute
from profiling.reporting.bundle import own_view
from profiling.reporting.disclosure import mask
from profiling.reporting.manifest import verify
from profiling.reporting.worksheet import recompute
from profiling.store.engine import open_database
from profiling.store.runs import RunRecord, read_run

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("PROFILING_SHARED", ROOT.parent / "shared"))
INVERSE = {"mortality": lambda eta: 1 / (1 + np.exp(-eta)), "stay": np.exp}


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    write_region(folder)
    assert execute(["run", "--config", str(folder / "config.yaml"), "--quiet", "--now", "2024-05-06"]) == 0
    return folder


@pytest.fixture(scope="module")
def record(region: Path) -> RunRecord:
    return read_run(open_database(f"sqlite:///{region}/var/profiling.db"), (region / "site/current").resolve().name)


def bundle(region: Path, record: RunRecord, *words: str) -> int:
    config = ["--config", str(region / "config.yaml"), "--quiet"]
    return execute(["bundle", record.run_id, *words, *config])


@pytest.fixture(scope="module")
def folder(region: Path, record: RunRecord) -> Path:
    assert bundle(region, record, "h03", "--folder", str(region / "bundles")) == 0
    return region / "bundles" / record.run_id / "h03"


@pytest.mark.parametrize("measure", INVERSE)
def test_twenty_lines_recompute_every_figure(folder: Path, measure: str) -> None:
    inverse = INVERSE[measure]
    rows = pd.read_csv(folder / f"worksheet_{measure}.csv")
    summary = pd.read_csv(folder / "summary.csv")
    published = summary[summary["measure"] == measure].set_index(["level", "provider"])
    own = published.loc["hospital", "h03"]
    expected = inverse(rows["linear_predictor"]).sum()
    predicted = inverse(rows["linear_predictor"] + rows["hospital_effect"]).sum()
    assert len(rows) == own["n"]
    assert rows["observed"].sum() == pytest.approx(own["observed"], rel=1e-9)
    assert expected == pytest.approx(own["expected"], rel=1e-9)
    assert predicted == pytest.approx(own["predicted"], rel=1e-9)
    assert predicted / expected == pytest.approx(own["ratio"], rel=1e-9)
    assert rows["observed"].sum() / rows["expected_marginal"].sum() == pytest.approx(own["oe_ratio"], rel=1e-9)
    for physician, part in rows.groupby("physician"):
        his = published.loc["physician", physician]
        within = inverse(part["linear_predictor"] + part["hospital_effect"]).sum()
        believed = inverse(part["linear_predictor"] + part["hospital_effect"] + part["physician_effect"]).sum()
        assert part["observed"].sum() == his["observed"]
        assert (within, believed) == pytest.approx((his["expected"], his["predicted"]), rel=1e-9)
    assert set(rows["physician"].dropna()) == ({"d06", "d07"} if measure == "mortality" else set())


def test_the_bundle_is_whole_private_and_opens_alone(folder: Path) -> None:
    assert verify(folder) == 9
    assert folder.stat().st_mode & 0o077 == 0
    text = (folder / "index.html").read_text()
    for address in re.findall(r'(?:href|src)="([^"#]*)', text):
        assert not address or (folder / address).is_file(), address
    assert "h03" in text
    others = [f"h{index:02d}" for index in range(12) if index != 3] + [f"d{index:02d}" for index in range(24)]
    assert set(re.findall(r"\b[hd]\d\d\b", text)) - {"h03"} == {"d06", "d07"} & set(others)


def test_own_counts_are_shown_and_no_other_hidden_one(record: RunRecord) -> None:
    public, own = mask(record).providers, own_view(record, "hospital", "h03").providers
    mine = (own["provider"] == "h03") | (own["parent"] == "h03")
    assert not own.loc[mine, "hidden"].any()
    assert own.loc[mine, ["n", "observed", "ratio"]].notna().all().all()
    assert public.loc[mine, "hidden"].any()
    columns = ["n", "observed", "expected", "predicted", "ratio", "hidden"]
    pd.testing.assert_frame_equal(own.loc[~mine, columns], public.loc[~mine, columns], check_dtype=False)
    assert own.loc[~mine, "provider_name"].str.startswith("another ").all()
    assert own.loc[~mine, "parent_name"].isna().all()


def test_where_a_bundle_is_not_written(region: Path, record: RunRecord, capsys: pytest.CaptureFixture[str]) -> None:
    assert bundle(region, record, "h99", "--folder", str(region / "bundles")) == 2
    assert bundle(region, record, "h03", "--folder", str(region / "site" / "private")) == 2
    assert "public site" in capsys.readouterr().err
    assert not (region / "site" / "private").exists()


# --- The worksheets of CMS -----------------------------------------------------------------------------------

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheets(book: zipfile.ZipFile) -> list[pd.DataFrame]:
    """Cells of every worksheet by row number and column letter."""
    root = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
    words = ["".join(text.text or "" for text in item.iter(f"{MAIN}t")) for item in root]
    count = sum(bool(re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)) for name in book.namelist())
    found = []
    for number in range(1, count + 1):
        cells: dict[int, dict[str, str]] = {}
        for cell in ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml")).iter(f"{MAIN}c"):
            value, place = cell.find(f"{MAIN}v"), re.match(r"([A-Z]+)(\d+)", cell.attrib["r"])
            if value is not None and place:
                text = words[int(str(value.text))] if cell.get("t") == "s" else str(value.text)
                cells.setdefault(int(place[2]), {})[place[1]] = text
        found.append(pd.DataFrame.from_dict(cells, orient="index").sort_index())
    return found


@pytest.mark.skipif(not (SHARED / "data/cms_hsr").exists(), reason="the CMS workbook is not here (PROFILING_SHARED)")
def test_the_worksheets_of_cms_give_their_published_rates() -> None:
    with zipfile.ZipFile(next((SHARED / "data/cms_hsr").glob("*.xlsx"))) as book:
        tables = sheets(book)
    results = tables[2]
    results = results[pd.to_numeric(results["D"], errors="coerce").notna()]
    # Six measures stand one under the other from row 6 on, each with a worksheet of its own; one has too few cases.
    assert len(results) == 5
    for row, printed in results.iterrows():
        table = tables[3 + int(str(row)) - 6]
        names, coefficients = table.loc[7].str.strip(), pd.to_numeric(table.loc[8], errors="coerce").dropna()
        effects = {
            names[column]: coefficients[column] for column in coefficients.index if "EFFECT" in str(names[column])
        }
        traits = [column for column in coefficients.index if names[column] not in effects]
        rows = table.loc[9:]
        rows = rows[rows["H"].str.strip() == "Yes"]
        eta = rows[traits].astype(float).to_numpy() @ coefficients[traits].to_numpy()
        found = recompute(eta, effects["HOSP_EFFECT"], effects["AVG_EFFECT"], "logit")
        predicted, expected, ratio = (float(printed[column]) for column in "DEF")
        assert found.predicted / found.cases == pytest.approx(predicted, abs=1e-12)
        assert found.expected / found.cases == pytest.approx(expected, abs=1e-12)
        assert found.ratio == pytest.approx(ratio, abs=1e-12)
