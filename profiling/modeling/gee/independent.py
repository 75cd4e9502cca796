"""Covariates that are combinations of earlier ones are dropped, by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from profiling.modeling.fixed import independent_columns, keep_columns
from profiling.modeling.gee.clusters import Clusters
from profiling.modeling.gee.equation import LARGE, PILOT
from profiling.modeling.gee.rows import GAUSSIAN
from profiling.modeling.gee.sweep import EXCHANGE, sweep


def without_dependent(clusters: Clusters) -> Clusters:
    """Return the clusters without the columns that depend on others, and with a note of them."""
    p = len(clusters.terms)
    if clusters.n >= LARGE and clusters.scaling.intercept >= 0:
        # What a column has of its own only grows with the rows, and centred columns have the squared length n: those
        # that are independent in a share of the rows are so in all.
        share = _products(clusters.share(PILOT))
        if len(independent_columns(share, float(clusters.n))) == p:
            return clusters
    keep = independent_columns(_products(clusters))
    if len(keep) == p:
        return clusters
    terms, scaling, notes = keep_columns(keep, list(clusters.terms), clusters.scaling)
    return replace(
        clusters, columns=clusters.columns.keep(keep), terms=tuple(terms), scaling=scaling, diagnoses=tuple(notes)
    )


def _products(clusters: Clusters) -> np.ndarray:
    plain = replace(clusters, weights=np.zeros(0), offset=np.zeros(0))
    return sweep(plain, GAUSSIAN, EXCHANGE, np.zeros((1, 2)), 4, np.zeros(len(clusters.terms))).information
