"""The page of a comparison put beside the published runs: site/compare/<former>-<later>/index.html."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from profiling.reporting.comparison import Cases, Comparison, compare
from profiling.reporting.disclosure import mask
from profiling.reporting.downloads import write_csv
from profiling.reporting.pages import comparison as page
from profiling.reporting.pages.shared import build
from profiling.reporting.publication import STAGING
from profiling.reporting.site import frame
from profiling.reporting.templating import environment
from profiling.shipped import templates_folder

if TYPE_CHECKING:
    from profiling.store.runs import RunRecord


def publish_comparison(former: RunRecord, later: RunRecord, cases: Cases, output: Path, later_folder: str) -> Path:
    """Write the comparison of two runs; its page. `later_folder`: folder of the later run's pages under runs/."""
    target = output / "compare" / f"{former.run_id}-{later.run_id}"
    target.parent.mkdir(parents=True, exist_ok=True)
    compared = compare(mask(former), mask(later), cases)
    staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=output))
    try:
        _write(compared, staging, f"../../runs/{later_folder}/")
        staging.chmod(0o755)
        if target.exists():
            os.rename(target, staging.with_suffix(".old"))
        os.rename(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        shutil.rmtree(staging.with_suffix(".old"), ignore_errors=True)
    return target / "index.html"


def _write(compared: Comparison, folder: Path, root: str) -> None:
    site = build(compared.later)
    template = environment(templates_folder()).get_template("compare.html")
    text = template.render(**frame(site), root=root, **page.context(compared, site, root))
    (folder / "index.html").write_text(text, encoding="utf-8", errors="replace")
    write_csv(compared.providers.drop(columns=["z_before", "z_after"]), folder / "changes.csv")
