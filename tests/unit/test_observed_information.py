"""The closed-form information of beta against differences of the exact gradient."""

from __future__ import annotations

import numpy as np
import pytest
from test_laplace import FAMILIES, tiny

from profiling.modeling.design import build_design
from profiling.modeling.families import family_of
from profiling.modeling.laplace import LaplaceCriterion
from profiling.modeling.observed import observed_information


def by_differences(criterion, beta, theta):
    p, h = len(beta), 1e-4
    rows = []
    for j in range(p):
        e = np.zeros(p)
        e[j] = h
        up, down = criterion.evaluate(beta + e, theta), criterion.evaluate(beta - e, theta)
        rows.append((down.gradient[:p] - up.gradient[:p]) / (2 * h))
    return np.array(rows)


def at(criterion, beta, theta):
    last = criterion.evaluate(beta, theta)
    return observed_information(criterion, last, theta)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda pair: pair[1])
# Exact for one factor. With several, the term left out is a few percent on 15 tiny levels (where differences are used)
# and vanishes with the size of the levels (where this form is used).
@pytest.mark.parametrize(
    ("structure", "tolerance"), [("(1 | a)", 1e-6), ("(1 | a/b)", 0.05), ("(1 | a) + (1 | c)", 0.05)]
)
def test_against_differences(family, structure, tolerance):
    chosen = family_of(*family)
    data = tiny(4, family[0], 120)
    design = build_design(f"y ~ x + z + {structure}", data, binomial=True, cluster_weights=None)
    criterion = LaplaceCriterion(design, chosen)
    beta, theta = np.array([-0.3, 0.2, 0.1]), np.full(design.form.size, 0.7)
    expected = by_differences(criterion, beta, theta)
    found = at(criterion, beta, theta)
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    assert np.abs((found - expected) / scale).max() < tolerance


def test_counts_copied_clusters():
    data = tiny(4, "binomial", 120)
    chosen = family_of("binomial", None)
    m = np.array([1.0, 2.0, 1.0, 3.0, 2.0])
    design = build_design("y ~ x + z + (1 | a)", data, binomial=True, cluster_weights=m)
    criterion = LaplaceCriterion(design, chosen)
    beta, theta = np.array([-0.3, 0.2, 0.1]), np.array([0.7])
    found = at(criterion, beta, theta)
    assert found == pytest.approx(by_differences(criterion, beta, theta), abs=1e-5)
