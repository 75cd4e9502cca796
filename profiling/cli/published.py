"""Commands for what is published: is it still what was published?"""

from __future__ import annotations

from pathlib import Path

import click

from profiling.cli.console import Console
from profiling.cli.options import config_option, open_results, read_settings, shown, voice


@click.command()
@click.argument("run_id", metavar="[RUN]", required=False)
@config_option
@voice
@click.pass_obj
def verify(console: Console, run_id: str | None, config: Path) -> None:
    """Compare the published pages of a run with its manifest, byte for byte; without RUN those of the current site.

    \b
    Example:
      profiling verify
      profiling verify r-1a2b3c4d
    """
    settings = read_settings(config, console)
    from profiling.pipeline.publishing import verify_run

    verified = verify_run(settings, open_results(settings), run_id)
    document = {"folders": [{"folder": str(folder), "files": files} for folder, files in verified.items()]}
    console.answer(document, [f"{shown(folder)}: {files:,} files as published" for folder, files in verified.items()])
