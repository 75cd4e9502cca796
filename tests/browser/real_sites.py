"""Sites that are not simulated, for the tests in a browser: GUSTO from records, SHMI from a published table."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from profiling.cli.main import execute

SHARED = Path(os.environ.get("PROFILING_SHARED", "../shared")).resolve()
GUSTO = SHARED / "data" / "gusto" / "gusto.csv.gz"
SHMI = SHARED / "data" / "nhs_shmi" / "shmi-2012-october.csv"
EXAMPLE = Path(__file__).parents[2] / "examples" / "gusto.yaml"
NOW = ("--now", "2026-01-31T12:00:00")
COLUMNS = "provider=PROVIDER,provider_name=PROVIDER_NAME,n=DENOMINATOR,observed=OBSERVED,expected=EXPECTED"


def gusto_site(folder: Path) -> Path:
    """The pages of examples/gusto.yaml as it stands, but for where they and the database go."""
    if not GUSTO.is_file():
        pytest.skip("no folder gusto under PROFILING_SHARED")
    text = EXAMPLE.read_text(encoding="utf-8")
    # Other models only repeat the figures of this page: they cost half a minute.
    for old, new in (
        ("sqlite:///../var/gusto.db", f"sqlite:///{folder / 'gusto.db'}"),
        ("../site-gusto", str(folder / "site")),
        ("    minimum_cases: 25\n", "    minimum_cases: 25\n    sensitivity: never\n"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    settings = folder / "gusto.yaml"
    settings.write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PROFILING_SHARED", str(SHARED))
        return _made(["run", "--config", str(settings), *NOW], folder)


def shmi_site(folder: Path) -> Path:
    """The pages of NHS England's table of October 2012, trusts by the names it gives them."""
    if not SHMI.is_file():
        pytest.skip("no folder nhs_shmi under PROFILING_SHARED")
    words = ["--level", "trust", "--event", "deaths", "--title", "Deaths in or after hospital"]
    rule = ["--overdispersion", "additive", "--threshold", "1"]
    places = ["--folder", str(folder / "site"), "--database", str(folder / "assess.db")]
    return _made(["assess", str(SHMI), "--columns", COLUMNS, *words, *rule, *places, *NOW], folder)


def _made(command: list[str], folder: Path) -> Path:
    assert execute([*command, "--quiet"]) == 0
    return (folder / "site" / "current").resolve()


def of_each_kind(site: Path, providers: int = 2) -> dict[str, Path]:
    """A page of every kind of a site by its address, with the first and the last of the providers."""
    fixed = {"index.html", "audit.html", "methods.html"}
    names = [page.relative_to(site).as_posix() for page in sorted(site.rglob("*.html"))]
    kinds = [name for name in names if name in fixed or name.startswith(("measures/", "models/"))]
    others = [name for name in names if name not in kinds]
    return {name: site / name for name in (*kinds, *others[: providers - 1], *others[-1:])}
