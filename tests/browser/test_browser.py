"""Each kind of page in headless Chromium: nothing overflows, everything is styled and drawn.

The pages hold no script and their policy forbids any, so they are the same with JavaScript on and off.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from reporting_fixture import simulated_run

from profiling.reporting.site import write_site

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
PAGES = (
    *("index.html", "measures/mortality_30d.html", "measures/length_of_stay.html", "methods.html"),
    *("models/mortality_30d.html", "audit.html"),
)
MARGIN = 40

pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs chromium on the path")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    write_site(simulated_run(rows=8000, hospitals=16, physicians_each=3), folder)
    return folder


def picture(page: Path, width: int, folder: Path) -> np.ndarray:
    """The page in a frame of the given width, with room beside it, as pixels (rows, columns, colours).

    A frame, because headless windows are at least 500 pixels wide; `overflow: visible` of what is inside shows as
    a scrollable width, so the frame is made wider than the page's body by a margin that must stay empty.
    """
    from matplotlib.image import imread

    frame = folder / "frame.html"
    frame.write_text(
        f'<body style="margin:0"><iframe src="{page.as_uri()}" style="border:0;width:{width}px;height:9000px"></iframe>'
    )
    target = folder / "page.png"
    command = [
        str(BROWSER),
        *FLAGS,
        f"--user-data-dir={folder / 'profile'}",
        f"--screenshot={target}",
        f"--window-size={max(width, 500)},9000",
        frame.as_uri(),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=90)
    return np.asarray(imread(target))[:, :width, :3]


def pages(site: Path) -> list[Path]:
    hospitals = sorted((site / "hospitals").iterdir())
    return [*(site / name for name in PAGES), hospitals[0], hospitals[-1]]


@pytest.mark.parametrize("index", range(8))
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_reaches_the_edge_of_the_window(site: Path, tmp_path: Path, index: int, width: int) -> None:
    """The padding of 20 px at the right stays paper from top to bottom (but for rules across the whole window)."""
    pixels = picture(pages(site)[index], width, tmp_path)
    paper = pixels[200, 3]
    edge = np.abs(pixels[:, width - 10 : width - 2] - paper).max(axis=2) > 0.08
    assert not edge.all(axis=1).sum() > 6
    assert not (edge.any(axis=1) & ~edge.all(axis=1)).any()
    drawn = (np.abs(pixels - paper).max(axis=2) > 0.08).mean()
    assert drawn > 0.005
