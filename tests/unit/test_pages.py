from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from jinja2 import UndefinedError
from markupsafe import Markup
from reporting_fixture import simulated_run

from profiling.reporting.disclosure import mask
from profiling.reporting.pages import hospital, overview, peers
from profiling.reporting.pages.shared import Site, build, natural, slug
from profiling.reporting.pages.terms import term_words
from profiling.reporting.templating import environment
from profiling.shipped import templates_folder


@pytest.fixture(scope="module")
def site() -> Site:
    names = ["7", "12", "Oak", "Oak", "oak 2", "***", "Elm"]
    return build(mask(simulated_run(rows=3000, hospitals=7, physicians_each=2, names=names)))


def test_every_provider_has_one_address_even_where_case_is_ignored(site: Site) -> None:
    addresses = list(site.addresses.values())
    assert len(addresses) == 7
    assert len({address.lower() for address in addresses}) == 7


def test_a_bare_number_gets_the_name_of_its_level(site: Site) -> None:
    assert {"Hospital 7", "Hospital 12", "Elm"} <= set(site.names.values())


def test_names_are_ordered_as_people_expect() -> None:
    assert sorted(["Hospital 10", "Hospital 2", "elm"], key=natural) == ["elm", "Hospital 2", "Hospital 10"]
    assert sorted(["b", "10", "2"], key=natural)[-1] == "b"


def test_slugs_are_short_and_plain() -> None:
    assert slug("Hôpital Saint-Étienne") == "hopital-saint-etienne"
    assert len(slug("x" * 500)) <= 60


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("C(sex)[T.M]", "sex: M"),
        ("C(admission_type)[T.emergency]", "admission type: emergency"),
        ("I(age / 10)", "age / 10"),
        ("I(np.minimum(systolic_bp, 120) / 10)", "min(systolic bp, 120) / 10"),
        ("renal_disease", "renal disease"),
    ],
)
def test_terms_of_the_formula_in_words(term: str, words: str) -> None:
    assert term_words(term) == words


def test_peers_are_the_nearest_in_volume_and_case_mix() -> None:
    random = np.random.default_rng(3)
    n, mix = np.exp(random.normal(5, 1, 40)), np.exp(random.normal(-2, 0.3, 40))
    shown = pd.DataFrame({"n": n, "expected_marginal": n * mix})
    found = peers.nearest(shown, count=5)
    traits = np.column_stack([np.log(n), np.log(mix)])
    traits = (traits - traits.mean(axis=0)) / traits.std(axis=0)
    for row, near in enumerate(found):
        distance = np.hypot(*(traits - traits[row]).T)
        assert set(near) == set(np.argsort(distance)[:6])
    assert found.shape == (40, 6)
    twins = pd.DataFrame({"n": [50.0] * 8, "expected_marginal": [5.0] * 8})
    assert all(row in near for row, near in enumerate(peers.nearest(twins, count=3)))
    assert peers.nearest(shown.head(2), count=5).shape == (2, 2)


def test_counts_by_category_add_up(site: Site) -> None:
    for row in overview.counts_rows(site.measures):
        assert sum(row["counts"].values()) == int(row["providers"].split()[0].replace(",", ""))


def test_a_page_opens_with_the_most_surprising_result(site: Site) -> None:
    prepared = tuple(hospital.prepare(site, one) for one in site.measures)
    for level, provider in site.addresses:
        rows = [one.providers[level].loc[provider] for one in site.measures]
        shown = [row for row in rows if not row["hidden"]]
        context = hospital.context(site, prepared, level, provider)
        if not shown:
            assert context["headline"].endswith("counts are not published")
        elif max(abs(row["z"]) for row in shown) > 4 and all(row["category"] != "too_few" for row in shown):
            assert "chance alone would do this" in context["headline"]


def test_templates_escape_and_refuse_undefined_names() -> None:
    made = environment(templates_folder())
    assert made.from_string("{{ name }}").render(name="<b>") == "&lt;b&gt;"
    assert made.from_string("{{ name }}").render(name=Markup("<b>")) == "<b>"
    with pytest.raises(UndefinedError):
        made.from_string("{{ missing }}").render()
