"""A whole site from a simulated run: valid pages, whole links, every number the store's, nothing hidden shown."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet
from reporting_fixture import simulated_run

from profiling.reporting import numbers
from profiling.reporting.pages.terms import term_words
from profiling.reporting.site import SiteSummary, write_site
from profiling.reporting.templating import policy_hash
from profiling.shipped import templates_folder
from profiling.store.runs import RunRecord

FORBIDDEN = re.compile(r"\b(worst|best|bad|good|poor|significant|significantly|league)\b", re.IGNORECASE)
NS = "{http://www.w3.org/2000/svg}"
SVG = f"{NS}svg"
CELLS = {"cases": "n", "observed": "observed", "expected": "expected_marginal", "raw": "oe_ratio"}


@pytest.fixture(scope="module")
def record() -> RunRecord:
    return simulated_run()


@pytest.fixture(scope="module")
def written(record: RunRecord, tmp_path_factory: pytest.TempPathFactory) -> SiteSummary:
    return write_site(record, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def site(written: SiteSummary) -> Path:
    return written.index.parent


@pytest.fixture(scope="module")
def trees(site: Path) -> dict[str, Element]:
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    return {
        page.relative_to(site).as_posix(): parser.parse(page.read_text(encoding="utf-8"))
        for page in site.rglob("*.html")
    }


def words(element: Element) -> str:
    return re.sub(r"\s+", " ", "".join(element.itertext())).strip()


def with_class(tree: Element, tag: str, name: str) -> list[Element]:
    return [element for element in tree.iter(tag) if name in element.attrib.get("class", "").split()]


def test_there_is_a_page_for_every_measure_and_hospital(written: SiteSummary, trees: dict[str, Element]) -> None:
    assert written.pages == len(trees) == 3 + 2 + 2 + 40
    assert {
        "index.html",
        "methods.html",
        "audit.html",
        "measures/mortality_30d.html",
        "measures/length_of_stay.html",
        "models/mortality_30d.html",
    } <= set(trees)


def test_every_page_is_valid_html(site: Path) -> None:
    for page in site.rglob("*.html"):
        html5lib.HTMLParser(strict=True).parse(page.read_text(encoding="utf-8"))


def test_every_page_can_be_read_by_everybody(trees: dict[str, Element]) -> None:
    for name, tree in trees.items():
        assert tree.attrib["lang"] == "en", name
        assert len(list(tree.iter("h1"))) == 1, name
        assert with_class(tree, "a", "skip")[0].attrib["href"] == "#main", name
        assert [e for e in tree.iter("main") if e.attrib.get("id") == "main"], name
        ids = [e.attrib["id"] for e in tree.iter() if "id" in e.attrib]
        assert len(ids) == len(set(ids)), name
        for drawing in tree.iter(SVG):
            assert drawing.attrib.get("aria-label") or drawing.attrib.get("aria-hidden") == "true", name
        assert all("scope" in head.attrib for head in tree.iter("th")), name


def test_nothing_comes_from_elsewhere_and_nothing_runs(site: Path, trees: dict[str, Element]) -> None:
    own = (templates_folder() / "site.js").read_text(encoding="utf-8")
    for name, tree in trees.items():
        policy = next(e for e in tree.iter("meta") if e.attrib.get("http-equiv") == "Content-Security-Policy")
        assert "default-src 'none'" in policy.attrib["content"]
        assert "unsafe" not in policy.attrib["content"]
        scripts = ["".join(script.itertext()) for script in tree.iter("script")]
        assert [f"'{policy_hash(text)}'" for text in scripts] == re.findall(r"'sha256-[^']*'", policy.attrib["content"])
        assert all(text == own for text in scripts), name
        assert not [name for element in tree.iter() for name in element.attrib if name.startswith("on")], name
        for element in tree.iter():
            assert "style" not in element.attrib, f"{name}: an inline style, which the policy forbids"
            for attribute in ("src", "href"):
                assert not re.match(r"(https?:)?//", element.attrib.get(attribute, "")), name
    assert len(own.encode()) < 15_000
    style = (site / "assets" / "style.css").read_text(encoding="utf-8")
    assert "url(" not in style
    assert "@import" not in style


def test_every_link_leads_somewhere(site: Path, trees: dict[str, Element]) -> None:
    anchors = {name: {e.attrib["id"] for e in tree.iter() if "id" in e.attrib} for name, tree in trees.items()}
    for name, tree in trees.items():
        for element in tree.iter():
            address = element.attrib.get("href")
            if not address:
                continue
            path, _, anchor = address.partition("#")
            if path == "manifest.json":
                continue  # written when the folder is complete
            target = (site / name).parent / path if path else site / name
            assert target.resolve().is_file(), f"{name}: {address}"
            if anchor:
                assert anchor in anchors[target.resolve().relative_to(site.resolve()).as_posix()], f"{name}: {address}"


def test_no_page_judges_or_shows_a_gap(trees: dict[str, Element]) -> None:
    for name, tree in trees.items():
        text = " ".join(words(part) for tag in ("header", "main", "footer") for part in tree.iter(tag))
        assert not FORBIDDEN.search(text), (name, FORBIDDEN.search(text))
        assert not re.search(r"\b(nan|None(?! lies| of)|NaN|inf)\b", text), (
            name,
            re.search(r".{30}\b(nan|None|NaN|inf)\b", text),
        )
        assert "A flag is a reason to look, not a verdict." in text, name
        assert "r-7c41e09b" in text, name


def test_the_overview_opens_with_the_finding(record: RunRecord, trees: dict[str, Element]) -> None:
    flags = record.flags[(record.flags["level"] == "hospital") & record.flags["category"].isin(["higher", "lower"])]
    count = flags["provider"].nunique()
    assert words(next(trees["index.html"].iter("h1"))).startswith(
        numbers.in_words(count, capital=True) + " of 40 hospitals"
    )


def test_the_table_of_a_measure_says_what_the_store_says(record: RunRecord, trees: dict[str, Element]) -> None:
    stored = record.provider_estimates.query("measure == 'mortality_30d' and level == 'hospital'").set_index(
        "provider_name"
    )
    rows = [
        row
        for row in with_class(trees["measures/mortality_30d.html"], "table", "providers")[0].iter("tr")
        if list(row.iter("td"))
    ]
    assert len(rows) == 40
    shown = [row for row in rows if not with_class(row, "td", "hidden-counts")]
    assert len(shown) > 25
    for row in shown:
        truth = stored.loc[words(next(row.iter("th")))]
        for name, column in CELLS.items():
            cell = words(with_class(row, "td", name)[0]).replace(",", "")
            assert float(cell) == pytest.approx(
                truth[column],
                abs=0.0501 if column == "expected_marginal" else 0.00501 if column == "oe_ratio" else 0.001,
            )
        assert words(with_class(row, "td", "shrunken")[0]) == numbers.estimate(
            truth["ratio"], truth["ratio_lower"], truth["ratio_upper"]
        )
        assert words(with_class(row, "td", "rank")[0]) == numbers.rank_interval(
            truth["rank_lower"], truth["rank_upper"]
        )
    surprise = [abs(stored.loc[words(next(row.iter("th"))), "z"]) for row in shown]
    assert surprise == sorted(surprise, reverse=True)


def test_the_csv_says_what_the_store_says(record: RunRecord, site: Path) -> None:
    published = pd.read_csv(site / "downloads" / "length_of_stay_physician.csv").set_index("provider")
    stored = record.provider_estimates.query("measure == 'length_of_stay' and level == 'physician'").set_index(
        "provider"
    )
    shown = published[published["hidden"] == 0]
    for column in ("n", "observed", "expected", "predicted", "ratio", "z", "rank_lower"):
        assert np.allclose(shown[column], stored.loc[shown.index, column].astype(float), rtol=1e-9)
    known = pd.read_csv(site / "downloads" / "data_dictionary.csv")
    assert set(known.loc[known["file"] == "length_of_stay_physician.csv", "column"]) == set(
        published.reset_index().columns
    )
    assert known["meaning"].notna().all()


def test_hidden_hospitals_show_name_band_and_result_only(
    record: RunRecord, site: Path, trees: dict[str, Element]
) -> None:
    published = pd.read_csv(site / "downloads" / "mortality_30d_hospital.csv")
    hidden = published[published["hidden"] == 1]
    assert len(hidden) > 2
    table = with_class(trees["measures/mortality_30d.html"], "table", "providers")[0]
    rows = {words(next(row.iter("th"))): row for row in table.iter("tr") if list(row.iter("td"))}
    for name, band in zip(hidden["provider_name"], hidden["case_band"], strict=True):
        cells = [words(cell) for cell in rows[name].iter("td")]
        assert len(cells) == 2
        assert cells[0] == f"{band} cases; counts not shown"
        assert not list(rows[name].iter(f"{NS}circle"))[1:]


def test_no_figure_of_a_hidden_hospital_stands_on_its_page_or_in_a_chart(
    record: RunRecord, site: Path, trees: dict[str, Element]
) -> None:
    published = pd.read_csv(site / "downloads" / "mortality_30d_hospital.csv").set_index("provider")
    for provider, row in published[published["hidden"] == 1].iterrows():
        for measure in ("mortality_30d", "length_of_stay"):
            other = pd.read_csv(site / "downloads" / f"{measure}_hospital.csv").set_index("provider")
            if not other.loc[provider, "hidden"]:
                break
        else:
            text = next(
                words(tree)
                for tree in trees.values()
                if words(next(tree.iter("h1"))).startswith(f"{row['provider_name']}: counts")
            )
            truth = record.provider_estimates.query("level == 'hospital' and provider == @provider")
            for _, figures in truth.iterrows():
                for column in ("expected", "predicted", "ratio", "oe_ratio"):
                    assert not re.search(rf"(?<![\d.]){re.escape(numbers.decimal(figures[column], 2))}(?!\d)", text)
        drawn = trees["measures/mortality_30d.html"].iter(f"{NS}title")
        titles = [words(title) for title in drawn if row["provider_name"] in words(title)]
        assert titles == []


def test_warnings_of_missing_case_mix(record: RunRecord, trees: dict[str, Element]) -> None:
    missing = record.missing_counts.query("measure == 'mortality_30d'")
    lacking = set(missing.loc[missing["rows_missing"] > 0.05 * missing["rows_total"], "provider"])
    pages = {name for name, tree in trees.items() if with_class(tree, "p", "warning")}
    assert len(lacking) == len(pages) > 2


def test_every_definition_named_on_a_page_exists(trees: dict[str, Element]) -> None:
    anchors = {e.attrib["id"] for e in trees["methods.html"].iter("section") if "id" in e.attrib}
    used = {e.attrib["href"].partition("#")[2] for tree in trees.values() for e in with_class(tree, "a", "defined")}
    assert len(used) > 8
    assert used <= anchors


def test_figures_of_every_measure_are_there(site: Path) -> None:
    starts = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}
    for measure in ("mortality_30d", "length_of_stay"):
        for kind in ("funnel", "caterpillar"):
            for form, start in starts.items():
                assert (site / "downloads" / f"{measure}_{kind}.{form}").read_bytes().startswith(start)


# --- Model and audit -----------------------------------------------------------------------------------------


def table_rows(tree: Element) -> list[list[str]]:
    return [[words(cell) for cell in row if cell.tag in ("th", "td")] for row in tree.iter("tr")]


def test_the_page_of_a_model_says_what_the_store_says(record: RunRecord, trees: dict[str, Element]) -> None:
    page = trees["models/mortality_30d.html"]
    rows = {row[0]: row[1:] for row in table_rows(page)}
    table = next(part for part in page.iter("div") if part.attrib.get("aria-label") == "Effects of the case mix")
    coefficients = {row[0]: row[1:] for row in table_rows(table)}
    effects = record.fixed_effects.query("measure == 'mortality_30d' and term != 'Intercept'")
    assert len(effects) == 3
    for term, estimate, error in zip(effects["term"], effects["estimate"], effects["standard_error"], strict=True):
        found = coefficients[term_words(term)]
        assert float(found[0]) == pytest.approx(np.exp(estimate), abs=0.00501)
        assert float(found[3]) == pytest.approx(error, abs=0.000051)
    variances = record.variance_components.query("measure == 'mortality_30d'")["covariance"].tolist()
    total = sum(variances) + np.pi**2 / 3
    shares = [
        float(row[0].split("\u202f")[0].removesuffix("%")) for name, row in rows.items() if name.startswith("hospitals")
    ]
    assert shares == [pytest.approx(100 * variances[0] / total, abs=0.0501)]
    checks = record.model_checks.query("measure == 'mortality_30d'").set_index("name")["value"]
    assert float(rows["c-statistic"][0]) == pytest.approx(checks["c_statistic"], abs=0.000501)
    flow = record.cohort_flow.query("measure == 'mortality_30d'")["rows_left"]
    assert rows["case mix and outcome complete"][-1] == f"{flow.iloc[-1]:,}"


def test_a_measure_keeps_a_summary_of_its_model_and_leads_to_it(trees: dict[str, Element]) -> None:
    for name in ("mortality_30d", "length_of_stay"):
        page = trees[f"measures/{name}.html"]
        assert f"../models/{name}.html" in {e.attrib.get("href") for e in page.iter("a")}
        assert "Standard error" not in words(page)
        assert not [e for e in page.iter(SVG) if e.attrib.get("id", "").startswith(("forest", "calibration"))]
        model = trees[f"models/{name}.html"]
        drawn = {e.attrib.get("id", "").removesuffix("-wide") for e in model.iter(SVG)}
        assert {"forest", "calibration", "by-provider", "shares"} <= drawn


def test_the_audit_names_files_settings_and_programs_but_no_password_and_no_seconds(
    record: RunRecord, site: Path, trees: dict[str, Element]
) -> None:
    text = words(trees["audit.html"])
    for known in (*record.inputs["sha256"], record.run["config_sha256"], record.run_id, "seed: 20240101"):
        assert known in text
    assert record.measures["cohort_sql"].iloc[0] in text
    assert "s3cret" not in "".join(path.read_text(errors="replace") for path in site.rglob("*") if path.is_file())
    assert "22,000" in text
    assert "21,995" not in text
    rows = table_rows(trees["audit.html"])
    assert ["encounters.age.range", "age", "150"] in rows
    assert ["patients.patient_id.unique", "patient_id", "1–10"] in rows
    assert "1.25" not in text
    assert "No run was published before" in text


def test_parquet_holds_the_figures_of_the_csv_and_says_what_they_mean(site: Path) -> None:
    for file in sorted((site / "downloads").glob("*.parquet")):
        table = parquet.read_table(file)
        frame, published = (
            table.to_pandas(),
            pd.read_csv(file.with_suffix(".csv"), keep_default_na=False, na_values=[""]),
        )
        assert list(frame.columns) == list(published.columns)
        for name in published.columns:
            if pd.api.types.is_numeric_dtype(published[name]):
                assert np.array_equal(frame[name].astype(float), published[name].astype(float), equal_nan=True), name
        assert all(table.schema.field(name).metadata[b"meaning"] for name in frame.columns)
        assert b"pandas" not in (table.schema.metadata or {})
    names = [{path.stem for path in (site / "downloads").glob(f"*.{form}")} for form in ("csv", "parquet")]
    assert names[0] - names[1] == {"data_dictionary"}
    assert names[1] > {"mortality_30d_hospital", "mortality_30d_effects", "mortality_30d_periods"}
