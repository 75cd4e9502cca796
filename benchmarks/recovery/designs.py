"""The designs of the study: what is drawn and what is fitted, with the truth of every parameter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

Codes = dict[str, np.ndarray]


@dataclass(frozen=True)
class Effect:
    """One grouping factor's effects: the columns they multiply (`1` or a covariate) and their covariance."""

    group: str
    terms: tuple[str, ...]
    covariance: tuple[tuple[float, ...], ...]

    @property
    def truth(self) -> dict[str, float]:
        """Return standard deviations and correlations by the name the result gives them."""
        names = tuple("Intercept" if term == "1" else term for term in self.terms)
        sigma = np.array(self.covariance)
        sd = np.sqrt(np.diag(sigma))
        found = {f"sd({name} | {self.group})": float(s) for name, s in zip(names, sd, strict=True)}
        for a in range(len(names)):
            for b in range(a):
                found[f"cor({names[a]}, {names[b]} | {self.group})"] = float(sigma[a, b] / (sd[a] * sd[b]))
        return found


@dataclass(frozen=True)
class Study:
    """One design: its formula and family, the groups' codes, the effects and the coefficients by term."""

    name: str
    title: str
    formula: str
    family: str
    groups: Callable[[np.random.Generator], Codes]
    effects: tuple[Effect, ...]
    beta: Mapping[str, float]
    exposure: bool = False
    sigma: float = 1.0
    method: str = "laplace"

    @property
    def truth(self) -> dict[str, float]:
        """Return every parameter's true value by name."""
        found = dict(self.beta)
        for effect in self.effects:
            found |= effect.truth
        return found | ({"sigma": self.sigma} if self.family == "gaussian" else {})

    def draw(self, generator: np.random.Generator) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
        """Return rows (y, x, z, log_exposure and the groups) and the true effects (levels, terms) by group.

        x is standard normal by row; z is standard normal by level of the first group, so that one coefficient is told
        by differences within levels and one by differences between them.
        """
        codes = self.groups(generator)
        n = len(next(iter(codes.values())))
        first = next(iter(codes.values()))
        columns = {"1": np.ones(n), "x": generator.normal(size=n), "z": generator.normal(size=first.max() + 1)[first]}
        exposure = generator.uniform(0.5, 4.0, n) if self.exposure else np.ones(n)
        eta = np.log(exposure)
        for term, value in self.beta.items():
            eta = eta + value * columns["1" if term == "Intercept" else term]
        effects = {}
        for effect in self.effects:
            own = codes[effect.group]
            root = np.linalg.cholesky(np.array(effect.covariance))
            effects[effect.group] = generator.normal(size=(own.max() + 1, len(effect.terms))) @ root.T
            loading = np.column_stack([columns[term] for term in effect.terms])
            eta = eta + (loading * effects[effect.group][own]).sum(axis=1)
        outcome = self._outcome(eta, generator)
        frame = pd.DataFrame({"y": outcome, "x": columns["x"], "z": columns["z"], "log_exposure": np.log(exposure)})
        return frame.assign(**codes), effects

    def _outcome(self, eta: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        if self.family == "gaussian":
            return np.asarray(eta + generator.normal(0, self.sigma, len(eta)))
        if self.family == "poisson":
            return np.asarray(generator.poisson(np.exp(eta)), dtype=float)
        return np.asarray(generator.random(len(eta)) < 1 / (1 + np.exp(-eta)), dtype=float)


def uneven(levels: int, rows: int, spread: float = 0.4, least: int = 2) -> Callable[[np.random.Generator], np.ndarray]:
    """Return a drawing of each row's level: at least `least` rows a level, the rest by log-normal volumes."""

    def draw(generator: np.random.Generator) -> np.ndarray:
        volume = generator.lognormal(0, spread, levels)
        free = generator.choice(levels, rows - least * levels, p=volume / volume.sum())
        return np.concatenate([np.repeat(np.arange(levels), least), free])

    return draw


def hospitals(generator: np.random.Generator) -> Codes:
    """Return 100 hospitals of uneven size, 2,000 rows."""
    return {"hospital": uneven(100, 2_000)(generator)}


def nested(generator: np.random.Generator) -> Codes:
    """Return 240 physicians in 60 hospitals, 3,600 rows."""
    physician = uneven(240, 3_600, spread=0.3)(generator)
    return {"hospital": physician // 4, "physician": physician}


def crossed(generator: np.random.Generator) -> Codes:
    """Return 60 hospitals crossed with 100 physicians, 2,400 rows; three rows in ten away from the main hospital."""
    physician = uneven(100, 2_400)(generator)
    main = generator.permutation(np.arange(100) % 60)
    away = generator.random(len(physician)) < 0.3
    hospital = np.where(away, generator.integers(60, size=len(physician)), main[physician])
    return {"hospital": hospital, "physician": physician}


def crossed_fully(generator: np.random.Generator) -> Codes:
    """Return 60 hospitals crossed with 80 physicians without any order, 1,500 rows."""
    return {"hospital": uneven(60, 1_500)(generator), "physician": generator.permutation(uneven(80, 1_500)(generator))}


def visits(generator: np.random.Generator) -> Codes:
    """Return 600 patients with two visits each, as many with one."""
    return {"patient": np.concatenate([np.repeat(np.arange(600), 2), np.arange(600, 1_200)])}


def _intercept(group: str, sd: float) -> Effect:
    return Effect(group, ("1",), ((sd**2,),))


STUDIES = (
    Study(
        "hospitals",
        "Deaths by hospital, by quadrature",
        "y ~ x + z + (1 | hospital)",
        "binomial",
        hospitals,
        (_intercept("hospital", 0.5),),
        {"Intercept": -1.0, "x": 0.5, "z": 0.3},
        method="agq",
    ),
    Study(
        "nested",
        "Deaths by physicians within hospitals",
        "y ~ x + z + (1 | hospital) + (1 | physician)",
        "binomial",
        nested,
        (_intercept("hospital", 0.5), _intercept("physician", 0.5)),
        {"Intercept": -1.0, "x": 0.5, "z": 0.3},
    ),
    Study(
        "crossed",
        "Deaths by hospitals and physicians who work at several",
        "y ~ x + z + (1 | hospital) + (1 | physician)",
        "binomial",
        crossed,
        (_intercept("hospital", 0.6), _intercept("physician", 0.5)),
        {"Intercept": -1.0, "x": 0.5, "z": 0.3},
    ),
    Study(
        "slope",
        "Deaths by hospital, with an effect of a covariate that differs between hospitals",
        "y ~ x + z + (1 + x | hospital)",
        "binomial",
        lambda generator: {"hospital": uneven(100, 4_000)(generator)},
        (Effect("hospital", ("1", "x"), ((0.36, 0.12), (0.12, 0.16))),),
        {"Intercept": -1.0, "x": 0.5, "z": 0.3},
    ),
    Study(
        "counts",
        "Readmissions per time at risk, by hospital",
        "y ~ x + z + (1 | hospital)",
        "poisson",
        lambda generator: {"hospital": uneven(80, 1_200)(generator)},
        (_intercept("hospital", 0.4),),
        {"Intercept": -0.5, "x": 0.3, "z": 0.2},
        exposure=True,
    ),
    Study(
        "linear",
        "Length of stay by hospitals crossed with physicians",
        "y ~ x + z + (1 | hospital) + (1 | physician)",
        "gaussian",
        crossed_fully,
        (_intercept("hospital", 0.5), _intercept("physician", 0.4)),
        {"Intercept": 1.0, "x": 0.5, "z": 0.3},
    ),
)

SMALL_CLUSTERS = tuple(
    Study(
        f"visits_{method}",
        f"One or two visits to a patient, {title}",
        "y ~ x + z + (1 | patient)",
        "binomial",
        visits,
        (_intercept("patient", 2.0),),
        {"Intercept": -0.5, "x": 0.7, "z": 0.4},
        method=method,
    )
    for method, title in (("laplace", "by Laplace"), ("agq", "by quadrature"))
)

HOSPITALS_BY_LAPLACE = replace(STUDIES[0], name="hospitals_laplace", method="laplace")
