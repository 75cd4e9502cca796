"""What a fit's data say of its variance parameters, on a lattice of points with weights, and the effects at each.

Estimates of a standard deviation are uncertain, and zero too often, where providers are few or small. The posterior of
the effects integrates over it (Rue, Martino & Chopin 2009, section 3.1; here with the exact criterion of the engine):

    p(Sigma | y)  ~  L(Sigma, beta^(Sigma)) |I_beta(Sigma)|^(-1/2),      flat in beta and in each covariance Sigma,

the likelihood maximised over beta again at each point and integrated over it by its curvature (for a linear model that
is the restricted likelihood). Flat in sigma^2 is the prior under which the intervals of the effects have their stated
coverage over repeated samples (Christiansen & Morris 1997; Morris & Tang 2011; for vectors Everson & Morris 2000);
flat in sigma they fall short where sigma is barely seen. With three levels or fewer it has no posterior, and the prior
is flat in sigma.

The lattice lies in theta, the entries of Sigma's lower triangular root Lambda: dSigma is the product over diagonal
entries of entry^e, e the free entries of its column (sigma itself for a scalar effect). L is an even function of each
diagonal entry, so on multiples of a step, sigma = k h, the trapezoid rule for sigma^e L(sigma) with its correction
h^2/12 L(0) at the end (Euler-Maclaurin; none for e = 2) weighs point k by k^e, and zero by 1/12 for e = 1, 1/2 for
e = 0. Off-diagonal entries are evenly spaced around their estimate. Points lie where the log posterior is within
`DROP` of its highest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from profiling.modeling.effects import random_effects
from profiling.modeling.families import family_of
from profiling.modeling.laplace import Evaluation, LaplaceCriterion
from profiling.modeling.result import RandomEffects
from profiling.modeling.state import criterion_of, linear_state, scaled_beta, source_of
from profiling.modeling.threads import threads_for

if TYPE_CHECKING:
    from profiling.modeling.result import MixedModelResult

DROP = 6.0
STEP = (1.2, 1.2, 1.6)  # posterior standard deviations between points, where so many entries vary together
FIRST_STEP = 0.1  # where a standard deviation is estimated as zero
LEAST_EFFECTIVE = 2.0  # points 1 / sum w^2 along an axis below which its step is halved
REFINEMENTS = 4
MOST_POINTS = (60, 60, 150)
BETA_STEPS, BETA_TOLERANCE = 6, 1e-3
FEW_LEVELS = 3
MOST_FACTORS, MOST_ENTRIES = 2, 3  # that vary together; others stay at their estimates

Index = tuple[int, ...]


@dataclass(frozen=True)
class VarianceGrid:
    """Points (K, F) of the standard deviations of the factors `groups`, their weights (K), the effects at each point.

    Of a factor with several terms `sd` holds the first term's; its other entries of Sigma vary with it.

    `effects[k][group]` holds modes and standard deviations by level: `sd` given beta and sigma, `sd_beta` with beta
    integrated. `evaluations`: how often the criterion was asked.
    """

    groups: tuple[str, ...]
    sd: np.ndarray
    weight: np.ndarray
    effects: tuple[dict[str, RandomEffects], ...]
    evaluations: int

    def sd_of(self, group: str, otherwise: float) -> np.ndarray:
        """Return the factor's standard deviation at each point (K); `otherwise` where it did not vary."""
        if group in self.groups:
            return np.asarray(self.sd[:, self.groups.index(group)])
        return np.full(len(self.weight), otherwise)

    def table(self, group: str, kind: str, term: int = 0) -> np.ndarray:
        """Return mode, sd or sd_beta (levels, K) of one of the factor's terms."""
        return np.stack([getattr(at[group], kind)[:, term] for at in self.effects], axis=1)


def variance_grid(fit: MixedModelResult, first: str | None = None) -> VarianceGrid:
    """Return the lattice of a fit's covariances; `first` is varied before any other.

    Factors beyond `MOST_FACTORS`, or `MOST_ENTRIES` of theta together, stay at their estimates.

    Raises ModelError where the result does not carry its design.
    """
    design = source_of(fit).design
    own = _varying(fit, first)
    with threads_for(design.n):
        engine: _Linear | _General = _Linear(fit) if fit.family == "gaussian" else _General(fit)
        lattice = _Lattice(engine, fit, own)
        lattice.explore()
        keys, weight = lattice.weights()
        theta = np.array([lattice.place(key) for key in keys]).reshape(len(keys), len(own))
        effects = tuple(lattice.found[lattice.place(key)].effects for key in keys)
    scale = np.array([lattice.found[lattice.place(key)].sigma for key in keys])
    factors = design.form.factor[own]
    _, leading = np.unique(factors, return_index=True)
    leading.sort()
    names = tuple(design.factors[f].name for f in factors[leading])
    return VarianceGrid(names, theta[:, leading] * scale[:, None], weight, effects, engine.evaluations)


def _varying(fit: MixedModelResult, first: str | None) -> list[int]:
    """Return entries of theta that vary: `first`'s before those of the factors with the fewest levels."""
    design = source_of(fit).design
    entries: list[int] = []
    taken = 0
    order = [(factor.name != first, factor.size, f) for f, factor in enumerate(design.factors)]
    for _, _, f in sorted(order):
        own = np.flatnonzero(design.form.factor == f).tolist()
        if taken < MOST_FACTORS and len(entries) + len(own) <= MOST_ENTRIES:
            entries += own
            taken += 1
    return entries


@dataclass
class _Point:
    """The log posterior at one point theta, its coefficients and their information, the effects there."""

    value: float
    theta: np.ndarray
    beta: np.ndarray
    information: np.ndarray
    sigma: float
    effects: dict[str, RandomEffects]


class _Linear:
    """The restricted likelihood of a linear model: nothing to climb."""

    def __init__(self, fit: MixedModelResult) -> None:
        self.criterion, _ = linear_state(fit, reml=True)
        self.evaluations = 0

    def at(self, theta: np.ndarray, start: _Point | None) -> _Point:
        criterion, design = self.criterion, self.criterion.design
        self.evaluations += 1
        last = criterion.evaluate(theta)
        Lambda = design.form.matrix(theta)
        K0, Kr = last.factor.full_solve(*last.factor.half_solve(*criterion._levels(criterion.products, Lambda)))
        p, sigma = criterion.p, float(np.sqrt(last.residual_variance))
        joint = np.linalg.inv(last.information_beta) * sigma**2
        slopes = (-K0[..., :p], -Kr[..., :p])
        effects = random_effects(design, theta, sigma, (last.u0, last.ur), last.V, slopes, [], joint, p)
        return _Point(last.value, theta, last.beta, last.information_beta, sigma, effects)


class _General:
    """The likelihood of a generalized linear model, beta found again from the nearest point and integrated."""

    def __init__(self, fit: MixedModelResult) -> None:
        self.criterion = criterion_of(fit)
        self.laplace = self.criterion
        if fit.points:
            self.laplace = LaplaceCriterion(source_of(fit).design, family_of(fit.family, fit.link))
        self.first, self.start = scaled_beta(fit), fit.theta
        self.slope = np.zeros((len(self.first), len(fit.theta)))
        if fit.covariance_cross.shape == self.slope.shape:
            to_scaled = np.linalg.inv(source_of(fit).design.scaling.to_raw)
            self.slope = to_scaled @ fit.covariance_cross @ np.linalg.pinv(np.atleast_2d(fit.covariance_theta))
        self.evaluations = 0

    def at(self, theta: np.ndarray, start: _Point | None) -> _Point:
        # beta^(theta) moves along the regression of beta on theta in the joint covariance of the estimates.
        beta, before = (self.first, self.start) if start is None else (start.beta, start.theta)
        beta = beta + self.slope @ (theta - before)
        information = None if start is None else start.information
        p = len(beta)
        for step in range(BETA_STEPS):
            last = self._evaluate(beta, theta)
            if information is None or step > 1:
                information = self.criterion.structured_information(last, theta)[0]
            move = np.linalg.solve(information, last.gradient[:p]) if p else np.zeros(0)
            decrement = float(last.gradient[:p] @ move)
            if decrement < BETA_TOLERANCE:
                break
            beta = beta + move
        information, effects = self._effects(last, beta, theta)
        value = last.value + decrement / 2 - np.linalg.slogdet(information)[1] / 2
        return _Point(float(value), theta, beta, information, 1.0, effects)

    def _evaluate(self, beta: np.ndarray, theta: np.ndarray) -> Evaluation:
        self.evaluations += 1
        return self.criterion.evaluate(beta, theta)

    def _effects(
        self, last: Evaluation, beta: np.ndarray, theta: np.ndarray
    ) -> tuple[np.ndarray, dict[str, RandomEffects]]:
        if self.laplace is not self.criterion:
            last = self.laplace.evaluate(beta, theta)
        design, p = self.laplace.design, len(beta)
        information = self.laplace.structured_information(last, theta)[0]
        factor, Lambda = last.modes.factor, design.form.matrix(theta)
        K0, Kr = factor.full_solve(*factor.half_solve(*self.laplace.level_products(last.w, Lambda)))
        joint, modes = np.linalg.inv(information), (last.modes.u0, last.modes.ur)
        return information, random_effects(design, theta, 1.0, modes, last.V, (-K0, -Kr), [], joint, p)


class _Lattice:
    """Multiples of a step along each varying entry of theta, filled outwards from the estimate.

    An off-diagonal entry's multiples are counted from its estimate, a diagonal one's from zero, which has a weight.
    """

    def __init__(self, engine: _Linear | _General, fit: MixedModelResult, own: Sequence[int]) -> None:
        self.engine = engine
        self.own = list(own)
        self.theta = fit.theta.copy()
        factors, form = source_of(fit).design.factors, source_of(fit).design.form
        self.power = [
            0 if factors[f].size <= FEW_LEVELS else int((form.columns == column).sum())
            for f, column in zip(form.factor[self.own], form.columns[self.own], strict=True)
        ]
        self.diagonal = form.diagonal[self.own]
        self.origin = np.where(self.diagonal, 0.0, fit.theta[self.own])
        self.estimate = np.abs(fit.theta[self.own]) * self.diagonal
        error = np.sqrt(np.maximum(np.diag(np.atleast_2d(fit.covariance_theta))[self.own], 0.0))
        apart = STEP[max(len(own), 1) - 1]
        self.step = np.array([_first_step(t, e, apart) for t, e in zip(self.estimate, error, strict=True)])
        self.most = MOST_POINTS[max(len(own), 1) - 1]
        self.found: dict[tuple[float, ...], _Point] = {}
        self.inside: dict[Index, float] = {}

    def place(self, key: Index) -> tuple[float, ...]:
        """Return the entries of theta at a lattice index, as the key of what was found there."""
        return tuple(float(f"{value:.12g}") for value in self.origin + np.multiply(key, self.step))

    def explore(self) -> None:
        """Fill the lattice; halve the step of an axis on which too few points carry the weight, and fill again."""
        for _ in range(REFINEMENTS):
            self._fill()
            keys, weight = self.weights()
            coarse = [axis for axis in range(len(self.own)) if _effective(keys, weight, axis) < LEAST_EFFECTIVE]
            if not coarse:
                return
            self.step[coarse] /= 2.0
        self._fill()

    def weights(self) -> tuple[list[Index], np.ndarray]:
        """Return the indices within `DROP` of the highest, and their weights, which sum to one."""
        top = max(self.inside.values())
        keys = sorted(key for key, value in self.inside.items() if value >= top - DROP)
        height = np.exp([self.inside[key] - top for key in keys])
        return keys, height / height.sum()

    def _fill(self) -> None:
        centre = tuple(int(k) for k in np.rint(self.estimate / self.step))
        self.inside = {}
        top = self._look(centre, None)
        queue = [centre]
        while queue and len(self.inside) < self.most:
            key = queue.pop(0)
            if self.inside[key] < top - DROP:
                continue
            for axis in range(len(self.own)):
                for move in (1, -1):
                    next_key = (*key[:axis], key[axis] + move, *key[axis + 1 :])
                    if (next_key[axis] >= 0 or not self.diagonal[axis]) and next_key not in self.inside:
                        top = max(top, self._look(next_key, self.found[self.place(key)]))
                        queue.append(next_key)

    def _look(self, key: Index, start: _Point | None) -> float:
        place = self.place(key)
        if place not in self.found:
            theta = self.theta.copy()
            theta[self.own] = place
            self.found[place] = self.engine.at(theta, start)
        on_diagonal = zip(np.asarray(key)[self.diagonal], np.asarray(self.power)[self.diagonal], strict=True)
        self.inside[key] = self.found[place].value + sum(_rule(int(k), int(power)) for k, power in on_diagonal)
        return self.inside[key]


def _rule(k: int, power: int) -> float:
    """Return the logarithm of a point's weight in the rule for sigma^power L."""
    if k > 0:
        return float(power * np.log(k))
    return float(np.log((0.5, 1.0 / 12.0)[power])) if power < 2 else -np.inf


def _first_step(estimate: float, error: float, apart: float) -> float:
    """Return a step of `apart` errors of which the estimate is a multiple (0: off the diagonal, or without a sd)."""
    if not np.isfinite(error) or error <= 0:
        return FIRST_STEP
    if estimate <= 0:
        return apart * error
    return float(estimate / max(1.0, np.rint(estimate / (apart * error))))


def _effective(keys: list[Index], weight: np.ndarray, axis: int) -> float:
    """Return 1 / sum w^2 of the weights along one axis."""
    _, place = np.unique([key[axis] for key in keys], return_inverse=True)
    sums = np.bincount(place, weight)
    return float(1.0 / np.square(sums).sum())
