"""Predictions: conditional on the levels, at the typical level, or averaged over levels; with intervals.

    conditional      g^-1(x'beta + z'b^), a level not seen in the fit has effect zero
    population       g^-1(x'beta): the typical level, b = 0
    marginal         E g^-1(x'beta + z'b) over b ~ N(0, S): what a population shows (Zeger, Liang & Albert 1988)

Intervals are normal on the scale of the link: with J = db^/dbeta the variance of x'beta^ + z'(b^ - b) is
(x + J'z)'C(x + J'z) + z'Vz, V the conditional covariance of b (Henderson 1975 for the LMM; Booth & Hobert 1998), plus
z'Sz for a level not seen. They hold the variance parameters at their estimates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special, stats

from profiling.errors import ModelError, Problem
from profiling.modeling.families import Family, family_of
from profiling.modeling.fixed import fixed_matrix
from profiling.modeling.grouping import GroupingFactor
from profiling.modeling.simulate import factor_product
from profiling.modeling.state import FittedState, fitted_state, level_values, source_of

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

MARGINAL_POINTS = 41
ROWS_AT_ONCE = 65_536
PAIRS_AT_ONCE = 32


@dataclass(frozen=True)
class NewRows:
    """Rows to predict: X (n, p) raw, offset (n), and a code (n; -1 for a new level) and columns a factor."""

    X: np.ndarray
    offset: np.ndarray
    codes: list[np.ndarray]
    columns: list[np.ndarray | None]


def predict(
    fit: MixedModelResult,
    new_data: pd.DataFrame | None,
    conditional: bool,
    scale: str,
    marginal: bool,
    interval: float | None,
    offset: Any,
) -> pd.Series | pd.DataFrame:
    """Return the predictions by row; see `MixedModelResult.predict`."""
    if scale not in ("link", "response"):
        raise ModelError(Problem("scale", scale, "link or response"))
    if marginal and scale == "link":
        raise ModelError(Problem("scale", "link with marginal=True", "response", "Averages are taken of the mean"))
    rows = old_rows(fit) if new_data is None else new_rows(fit, new_data, offset)
    index = pd.RangeIndex(fit.n_observations) if new_data is None else new_data.index
    family = family_of(fit.family, fit.link, fit.dispersion)
    with_effects = conditional and not marginal
    eta = rows.X @ fit.fixed_effects.to_numpy() + rows.offset
    if with_effects:
        for factor, codes, columns in zip(fit.factors, rows.codes, rows.columns, strict=True):
            modes = np.vstack([fit.effects[factor.name].mode, np.zeros(len(factor.terms))])
            eta = eta + factor_product(columns, modes[codes])

    def scaled(predictor: np.ndarray) -> np.ndarray:
        if scale == "link":
            return predictor
        if marginal:
            return marginal_mean(family, predictor, effect_variance(fit, rows))
        return np.asarray(family.inverse_link(predictor))

    if interval is None:
        return pd.Series(scaled(eta), index=index, name="prediction")
    if not 0 < interval < 1:
        raise ModelError(Problem("interval", str(interval), "a share between 0 and 1, such as 0.95"))
    error = np.sqrt(predictor_variance(fit, rows, with_effects))
    half = stats.norm.ppf(0.5 + interval / 2) * error
    columns_out = {"prediction": scaled(eta), "lower": scaled(eta - half), "upper": scaled(eta + half)}
    return pd.DataFrame({**columns_out, "link_sd": error}, index=index)


def old_rows(fit: MixedModelResult) -> NewRows:
    """Return the rows of the fit, X on the raw scale, in the data's order."""
    design = source_of(fit).design
    back = np.empty(design.n, dtype=np.int64)
    back[design.order] = np.arange(design.n)
    X = design.X[back] * design.scaling.scale
    if design.scaling.intercept >= 0:
        X += design.scaling.center
    return NewRows(X, design.offset[back], [f.codes for f in fit.factors], [f.columns for f in fit.factors])


def new_rows(fit: MixedModelResult, data: pd.DataFrame, offset: Any) -> NewRows:
    """Return the rows of new data as the fit's formula reads them; raise ModelError where columns are missing."""
    design = source_of(fit).design
    used = {name for term in design.formula.random for name in term.grouping}
    absent = sorted(used - set(data.columns))
    if absent:
        raise ModelError([Problem("new_data", f"no column {name!r}", "every grouping column") for name in absent])
    made, names = columns_of(design.model_spec, design.formula.fixed, data)
    position = {name: j for j, name in enumerate(names)}
    lost = [term for term in design.terms if term not in position]
    if lost:
        raise ModelError(Problem("new_data", f"no term {', '.join(lost)}", "columns of the same types as in the fit"))
    X = made[:, [position[term] for term in design.terms]]
    if offset is None:
        shift = np.zeros(len(data))
    else:
        shift = np.asarray(data[offset] if isinstance(offset, str) else offset, dtype=float)
    if len(shift) != len(data):
        raise ModelError(Problem("offset", f"{len(shift)} values", f"{len(data)}, one a row"))
    expressions = {factor.name: _expressions(fit, factor.name) for factor in fit.factors}
    columns = [_random_columns(factor, expressions[factor.name], data) for factor in fit.factors]
    return NewRows(X, shift, [level_positions(factor, data) for factor in fit.factors], columns)


def columns_of(spec: Any, text: str, data: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Return the matrix and names that a right-hand side gives on new data, by the spec of the fit."""
    if spec is None or isinstance(spec, tuple):
        made, names, _ = fixed_matrix(text, data)
        return made, names
    from formulaic.errors import FormulaicError

    try:
        frame = spec.get_model_matrix(data, na_action="raise", context={"np": np})
    except (FormulaicError, ValueError, NameError, KeyError, TypeError) as error:
        text_of = str(error.__cause__ or error).splitlines()
        raise ModelError(
            Problem(
                "new_data",
                text_of[0][:200] if text_of else "columns that cannot be read",
                "the columns of the fit, without missing values and without new categories",
            )
        ) from error
    return np.asarray(frame, dtype=float), [str(name) for name in frame.columns]


def _expressions(fit: MixedModelResult, group: str) -> list[str]:
    return [term.expression for term in source_of(fit).design.formula.random if term.name == group]


def _random_columns(factor: GroupingFactor, expressions: list[str], data: pd.DataFrame) -> np.ndarray | None:
    if factor.columns is None:
        return None
    parts = [
        np.ones((len(data), 1)) if spec is None else columns_of(spec, expression, data)[0]
        for spec, expression in zip(factor.specs, expressions, strict=True)
    ]
    return np.concatenate(parts, axis=1)


def level_positions(factor: GroupingFactor, data: pd.DataFrame) -> np.ndarray:
    """Return each row's position among the factor's levels (n), -1 for a level the fit has not seen."""
    names = factor.name.split(":")
    if len(names) == 1:
        return np.asarray(pd.Index(factor.levels).get_indexer(pd.Index(data[names[0]])))
    labels = data[names[0]].astype(str)
    for name in names[1:]:
        labels = labels + ":" + data[name].astype(str)
    return np.asarray(pd.Index(factor.levels.astype(str)).get_indexer(pd.Index(labels)))


def effect_variance(fit: MixedModelResult, rows: NewRows) -> np.ndarray:
    """Return z'Sz (n), the variance that random effects add to each row's linear predictor."""
    total = np.zeros(len(rows.offset))
    for factor, columns in zip(fit.factors, rows.columns, strict=True):
        total += quadratic_form(columns, fit.variance_components[factor.name].to_numpy())
    return total


def effect_variance_of(fit: MixedModelResult, group: str) -> np.ndarray:
    """Return z'Sz of one group for every row of the fit; one value where the group has an intercept only."""
    factor = next(factor for factor in fit.factors if factor.name == group)
    return np.atleast_1d(quadratic_form(factor.columns, fit.variance_components[group].to_numpy()))


def quadratic_form(columns: np.ndarray | None, S: np.ndarray) -> np.ndarray | float:
    """Return z'Sz of every row; S (q, q) for all or (n, q, q) by row."""
    if columns is None:
        return np.asarray(S[..., 0, 0])
    by_row = "nqr" if S.ndim == 3 else "qr"
    return np.asarray(np.einsum(f"nq,{by_row},nr->n", columns, S, columns, optimize=True))


def marginal_mean(family: Family, eta: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Return E g^-1(eta + b), b ~ N(0, variance): closed for identity, log and probit, else by quadrature."""
    if family.link == "identity":
        return eta
    if family.link == "log":
        return np.asarray(np.exp(eta + variance / 2))
    if family.link == "probit":
        return np.asarray(special.ndtr(eta / np.sqrt(1 + variance)))
    nodes, weights = np.polynomial.hermite_e.hermegauss(MARGINAL_POINTS)
    weights = weights / weights.sum()
    mean = np.zeros(len(eta))
    spread = np.sqrt(variance)
    for node, weight in zip(nodes, weights, strict=True):
        mean += weight * family.inverse_link(eta + node * spread)
    return mean


def predictor_variance(fit: MixedModelResult, rows: NewRows, conditional: bool) -> np.ndarray:
    """Return the variance of each row's predicted linear predictor (n); see the module's docstring."""
    design = source_of(fit).design
    to_raw = design.scaling.to_raw
    scaled_X = rows.X @ to_raw  # raw x'beta = x'T beta_scaled
    inverse = np.linalg.inv(to_raw)
    C = inverse @ fit.covariance.to_numpy() @ inverse.T
    if not conditional:
        return np.asarray(np.einsum("np,pq,nq->n", scaled_X, C, scaled_X, optimize=True))
    state = fitted_state(fit)
    total = np.zeros(len(rows.offset))
    moved = scaled_X.copy()
    names = [factor.name for factor in design.factors]
    for factor, codes, columns in zip(fit.factors, rows.codes, rows.columns, strict=True):
        f = names.index(factor.name)
        L = _block(state, f)
        J = -np.einsum("ab,lbp->lap", L, level_values(state, f, state.K0, state.Kr))
        J = np.concatenate([J, np.zeros((1, *J.shape[1:]))])
        for start in range(0, len(codes), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            z = None if columns is None else columns[part]
            moved[part] += J[codes[part], 0] if z is None else np.einsum("nq,nqp->np", z, J[codes[part]])
        S = fit.variance_components[factor.name].to_numpy()
        total += np.where(codes < 0, quadratic_form(columns, S), 0.0)
    total += np.einsum("np,pq,nq->n", moved, C, moved, optimize=True)
    return np.asarray(total + conditional_variance(fit, state, rows))


def _block(state: FittedState, f: int) -> np.ndarray:
    offsets = state.design.form.offsets
    part = slice(offsets[f], offsets[f + 1])
    return np.asarray(state.Lambda[part, part])


def conditional_variance(fit: MixedModelResult, state: FittedState, rows: NewRows) -> np.ndarray:
    """Return z'Vz (n) over the levels that the fit has seen, V the conditional covariance of b."""
    design = state.design
    position = {factor.name: f for f, factor in enumerate(design.factors)}
    by_design = sorted(range(len(fit.factors)), key=lambda i: position[fit.factors[i].name])
    codes = np.stack([rows.codes[i] for i in by_design], axis=1)
    met, back = np.unique(codes, axis=0, return_inverse=True)
    blocks = level_blocks_of(state, met)
    turned = np.einsum("ab,mbc,dc->mad", state.Lambda, blocks, state.Lambda, optimize=True) * state.sigma**2
    z = np.concatenate(
        [np.ones((len(codes), 1)) if rows.columns[i] is None else np.asarray(rows.columns[i]) for i in by_design],
        axis=1,
    )
    total = np.empty(len(codes))
    for start in range(0, len(codes), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        total[part] = quadratic_form(z[part], turned[back.reshape(-1)[part]])
    return total


def level_blocks_of(state: FittedState, met: np.ndarray) -> np.ndarray:
    """Return the blocks of H^-1 (m, k, k) of combinations of levels (m, factors), zero for levels not seen.

    Combinations that occur in the data are read off the factor; others are solved for, a few at a time.
    """
    design, s = state.design, state.design.structure
    k = design.form.offsets[-1]
    renumber = np.empty_like(design.new_level0)
    renumber[design.new_level0] = np.arange(len(renumber))
    cell_codes = np.stack([factor.codes[design.order[s.cell_ptr[:-1]]] for factor in design.factors], axis=1)
    where = _combinations(cell_codes).get_indexer(_combinations(met))
    blocks = np.zeros((len(met), k, k))
    blocks[where >= 0] = state.V[where[where >= 0]]
    other = np.flatnonzero(where < 0)
    for start in range(0, len(other), PAIRS_AT_ONCE):
        chosen = other[start : start + PAIRS_AT_ONCE]
        blocks[chosen] = _solved_blocks(state, met[chosen], renumber)
    return blocks


def _combinations(codes: np.ndarray) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays([codes[:, f] for f in range(codes.shape[1])])


def _solved_blocks(state: FittedState, met: np.ndarray, renumber: np.ndarray) -> np.ndarray:
    s, offsets = state.design.structure, state.design.form.offsets
    m, k, q0 = len(met), offsets[-1], s.terms[0]
    U0, Ur = np.zeros((s.n_levels0, q0, m * k)), np.zeros((s.n_rest, m * k))
    seen = met >= 0
    combination = np.arange(m)
    for f in range(met.shape[1]):
        rows = combination[seen[:, f]]
        for a in range(offsets[f + 1] - offsets[f]):
            column = rows * k + offsets[f] + a
            if f == 0:
                U0[renumber[met[rows, 0]], a, column] = 1.0
            else:
                Ur[s.rest_position[f - 1][met[rows, f], a], column] = 1.0
    C0, Cr = state.factor.half_solve(U0, Ur)
    halves = np.concatenate([C0.reshape(-1, m * k), Cr])
    wide = halves.reshape(-1, m, k)
    return np.asarray(np.einsum("rma,rmb->mab", wide, wide, optimize=True))
