"""A whole published site against an attacker who has its files: HTML, SVG, CSV, Parquet and JSON."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from reporting_fixture import simulated_run
from site_attack import Found, attack_site

from profiling.reporting import downloads
from profiling.reporting.decision import decision_of
from profiling.reporting.disclosure import MaskedRun, mask
from profiling.reporting.disclosure_audit import audit_site, findings
from profiling.reporting.publication import publish
from profiling.reporting.site import write_site
from profiling.store.runs import RunRecord

KEY = ["measure", "level", "provider"]
WAYS = (
    *(f"{kind}: {way}" for kind in ("csv", "parquet") for way in ("printed", "rate", "ratio", "mode", "z", "interval")),
    *("page: table", "page: words of marks", "page: places of marks", "page: physicians"),
)


@pytest.fixture(scope="module")
def record() -> RunRecord:
    return simulated_run(rows=9000, hospitals=16, physicians_each=5, seed=3)


@pytest.fixture(scope="module")
def site(record: RunRecord, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("attacked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(downloads, "render_figures", lambda *_: None)  # pictures for print: the same marks
        return publish(record, folder).folder


@pytest.fixture(scope="module")
def found(site: Path) -> Found:
    return attack_site(site)


@pytest.fixture(scope="module")
def truth(record: RunRecord) -> pd.DataFrame:
    rows = record.provider_estimates.set_index(KEY)
    rows = rows.assign(hidden=decision_of(record).hidden)
    return rows[rows.index.get_level_values(0) == "mortality_30d"]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_finds_what_is_shown_and_nothing_hidden(found: Found, truth: pd.DataFrame, way: str) -> None:
    told = pd.Series(found[way]).rename_axis(KEY)
    shown, hidden = truth[~truth["hidden"]], truth[truth["hidden"]]
    assert not set(told.index) & set(hidden.index)
    both = told[told.index.isin(shown.index)]
    assert len(both) >= (4 if way.startswith("page: p") else 6)
    near = (both - shown.loc[both.index, "observed"]).abs() < 0.5
    assert near.mean() > 0.9, near


def test_there_is_something_to_find(truth: pd.DataFrame) -> None:
    small = truth["observed"].between(1, 10) | (truth["n"] - truth["observed"]).between(1, 10)
    assert small.sum() > 20
    assert truth.loc[small, "hidden"].all()
    assert (~truth["hidden"]).sum() >= 6


def test_no_digit_of_a_hidden_figure_stands_in_any_file(site: Path, truth: pd.DataFrame) -> None:
    """Seven digits of any figure of a hidden provider are nobody else's."""
    hidden = truth[truth["hidden"]].select_dtypes("number").drop(columns=["n", "observed"])
    values = hidden.to_numpy(dtype=float).ravel()
    values = values[np.isfinite(values) & (np.abs(values - values.round()) > 1e-6)]
    wanted = {f"{value:.7g}" for value in values} - {f"{value:.7g}" for value in _shown_values(truth)}
    wanted = {text for text in wanted if len(text.replace("-", "").replace(".", "").lstrip("0")) == 7}
    assert len(wanted) > 300
    files = [path for path in site.rglob("*") if path.suffix in (".html", ".svg", ".csv", ".json")]
    written = set(re.findall(r"-?\d+\.\d{3,}", "\n".join(path.read_text(encoding="utf-8") for path in files)))
    printed = {f"{float(text):.7g}" for text in written}
    assert not wanted & printed


def _shown_values(truth: pd.DataFrame) -> np.ndarray:
    values = truth[~truth["hidden"]].select_dtypes("number").to_numpy(dtype=float).ravel()
    return values[np.isfinite(values)]


def poisoned(record: RunRecord) -> RunRecord:
    """The same run with other figures of every hidden provider, cases and events excepted: nothing may show it."""
    draw = np.random.default_rng(5)
    made = decision_of(record)
    table = record.provider_estimates.copy()
    for name in table.select_dtypes("number").columns.difference(["n", "observed", "n_parents"]):
        table[name] = (
            table[name].astype(float).mask(made.hidden, pd.Series(draw.normal(50, 20, len(table)), table.index))
        )
    flags = record.flags.copy()
    keys = pd.MultiIndex.from_frame(table.loc[made.hidden, KEY])
    own = pd.MultiIndex.from_frame(flags[KEY]).isin(keys)
    for name in ("probability_by_chance", "watch_limit", "flag_limit"):
        flags[name] = flags[name].mask(own, 0.123)
    return replace(record, provider_estimates=table, flags=flags)


def test_what_is_masked_does_not_depend_on_what_is_hidden(record: RunRecord) -> None:
    one, other = mask(record), mask(poisoned(record))
    for name in MaskedRun.__dataclass_fields__:
        values = getattr(one, name), getattr(other, name)
        if isinstance(values[0], pd.DataFrame):
            pd.testing.assert_frame_equal(*values)
        else:
            assert values[0] == values[1], name


def test_hidden_counts_may_change_places_and_no_byte_does(record: RunRecord, site: Path, tmp_path: Path) -> None:
    """Two hidden physicians of a hospital exchange an event: another truth, the same files."""
    made = decision_of(record)
    table = record.provider_estimates.copy()
    rows = table[made.hidden & (table["measure"] == "mortality_30d") & (table["level"] == "physician")]
    rows = rows[(rows["observed"] >= 2) & (rows["n"] - rows["observed"] >= 2)]
    pair = next(part.index[:2] for _, part in rows.groupby("parent") if len(part) >= 2)
    table.loc[pair, "observed"] += [1.0, -1.0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(downloads, "render_figures", lambda *_: None)
        write_site(replace(record, provider_estimates=table), tmp_path)
    for path in sorted(path for path in tmp_path.rglob("*") if path.is_file() and path.name != "timings.json"):
        assert path.read_bytes() == (site / path.relative_to(tmp_path)).read_bytes(), path.name


# --- The audit before publication ----------------------------------------------------------------------------


def test_the_audit_finds_nothing_in_what_is_published(site: Path, record: RunRecord) -> None:
    audit_site(site, record)


def spoilt(site: Path, record: RunRecord, name: str, change: tuple[str, str]) -> list[str]:
    """What the audit says of the site when one file of it is changed, which is then put back."""
    path = site / name
    before = path.read_text(encoding="utf-8")
    assert re.search(change[0], before), change
    try:
        path.write_text(re.sub(change[0], change[1], before, count=1), encoding="utf-8")
        return [f"{one.where}: {one.what}" for one in findings(site, record)]
    finally:
        path.write_text(before, encoding="utf-8")


def hidden_hospital(record: RunRecord) -> tuple[str, str]:
    """Id and name of a hospital that is hidden."""
    rows = record.provider_estimates[decision_of(record).hidden]
    rows = rows[(rows["measure"] == "mortality_30d") & rows["parent"].isna()]
    return str(rows["provider"].iloc[0]), str(rows["provider_name"].iloc[0])


def test_the_audit_finds_a_figure_in_a_download(site: Path, record: RunRecord) -> None:
    key, name = hidden_hospital(record)
    row = rf"({key},{re.escape(name)},,,,)(,)"
    said = spoilt(site, record, "downloads/mortality_30d_hospital.csv", (row, r"\g<1>37\g<2>"))
    assert any(f"n of hidden hospital {key}" in text for text in said)


@pytest.mark.parametrize("words", ["raw 1.21, shrunken 1.10", "4 deaths, 3.1 expected"])
def test_the_audit_finds_a_mark_of_a_hidden_provider(site: Path, record: RunRecord, words: str) -> None:
    _, name = hidden_hospital(record)
    said = spoilt(
        site,
        record,
        "measures/mortality_30d.html",
        ("(<svg class=.chart wide. id=.funnel-wide.[^>]*>)", rf"\1<a><title>{name}: {words}</title></a>"),
    )
    assert said == [f"measures/mortality_30d.html: a figure of hidden {name}"]


def test_the_audit_finds_a_figure_in_a_row_of_a_page(site: Path, record: RunRecord) -> None:
    _, name = hidden_hospital(record)
    row = rf'({re.escape(name)}</a></th>\s*<td class="hidden-counts"[^>]*>)([^<]* cases)'
    said = spoilt(site, record, "measures/mortality_30d.html", (row, r"\g<1>5 deaths of \g<2>"))
    assert said == [f"measures/mortality_30d.html: a figure of hidden {name}"]


def test_the_audit_finds_that_a_cover_is_missing(site: Path, record: RunRecord) -> None:
    """A provider that was hidden for another's count only, shown in full."""
    made = decision_of(record)
    rows = record.provider_estimates[made.hidden & (record.provider_estimates["measure"] == "mortality_30d")]
    covers = rows[(rows["observed"] > 10) & (rows["n"] - rows["observed"] > 10)]
    said = []
    for row in covers.itertuples():
        name = f"downloads/mortality_30d_{row.level}.csv"
        table = pd.read_csv(site / name, dtype=str, keep_default_na=False)
        own = table[table["provider"] == row.provider].iloc[0]
        own = own.where(own.index != "n", str(row.n)).where(own.index != "observed", f"{row.observed:.0f}")
        line = ",".join(f'"{cell}"' for cell in own.where(own.index != "hidden", "0"))
        said += spoilt(site, record, name, (rf"(?m)^{row.provider},.*$", line))
    assert any("follows from what is published" in text for text in said)
