"""docs/recovery.md: every figure of the study with its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.recovery.designs import Study
from benchmarks.recovery.figures import Figure

INTRODUCTION = """# Recovery and coverage

Written by `make study`; not to be edited. Every design draws {draws:,} data sets from a known truth and fits each.

- **Coverage** is the share of draws whose 95 % interval holds the truth; bounds .95 ± 3√(.0475/draws). Coefficients:
  Wald. Standard deviations, correlations, sigma: profile likelihood adjusted for the estimated coefficients
  (`intervals("adjusted")`; Cox & Reid 1987), beside it the plain profile. Effects b: `effect_intervals`, the variance
  parameters integrated out, the share of levels averaged over draws; beside it mode ± 1.96 `sd_full`.
- **Bias** of a coefficient: at most three Monte-Carlo errors or a tenth of its standard deviation over the draws.
- **Bias of a variance**: REML estimates against none, maximum likelihood against the bias that it owes to the estimated
  coefficients, I(v)⁻¹ ∂ log|C(v)⁻¹|/∂v / 2 (C their covariance; Patterson & Thompson 1971), of order 1/J in the number
  of levels; the rest must stay in the same bounds.
- **Converged**: all draws.

A figure outside of its bounds is marked **out**.
"""


def write_report(path: Path, found: Mapping[str, tuple[Study, list[Figure]]], draws: int) -> None:
    """Write the figures of every design to `path`."""
    lines = [INTRODUCTION.format(draws=draws), *_verdict(found)]
    for study, figures in found.values():
        lines += ["", f"## {study.title}", "", _model(study), "", *_table(figures)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _verdict(found: Mapping[str, tuple[Study, list[Figure]]]) -> list[str]:
    all_figures = [figure for _, figures in found.values() for figure in figures]
    kept = sum(figure.kept for figure in all_figures)
    return [f"{kept} of {len(all_figures)} figures keep their bounds."]


def _model(study: Study) -> str:
    truth = ", ".join(f"{name} {value:g}" for name, value in study.truth.items())
    return f"`{study.formula}`, {study.family}. Truth: {truth}."


def _table(figures: list[Figure]) -> list[str]:
    head = ["| figure | parameter | value | lowest | highest | | |", "|---|---|---:|---:|---:|---|---|"]
    return head + [
        f"| {f.kind} | {f.parameter.replace('|', '¦')} | {f.value:.4f} | {f.lower:.4f} | {f.upper:.4f} "
        f"| {'kept' if f.kept else '**out**'} | {f.detail} |"
        for f in figures
    ]
