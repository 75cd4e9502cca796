"""Commands for what is published: let a held run pass, check it, set it beside another, send one provider its own."""

from __future__ import annotations

from pathlib import Path

import click

from profiling.cli.console import Console
from profiling.cli.options import config_option, open_results, read_settings, shown, voice
from profiling.cli.words import published_document, published_lines


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


@click.command()
@click.argument("run_id", metavar="RUN")
@config_option
@voice
@click.pass_obj
def release(console: Console, run_id: str, config: Path) -> None:
    """Publish a run that the gate holds (exit 17), after somebody has looked at the reasons.

    The page of the audit says that it was held and released.

    \b
    Example:
      profiling release r-1a2b3c4d
    """
    settings = read_settings(config, console)
    from profiling.pipeline import publish_run
    from profiling.store.lock import run_lock

    engine = open_results(settings)
    with run_lock(engine), console.progress() as progress:
        published = publish_run(settings, engine, run_id, progress, release=True)
    console.answer(published_document(published), published_lines(published))


@click.command()
@click.argument("former", metavar="RUN")
@click.argument("later", metavar="RUN")
@config_option
@voice
@click.pass_obj
def compare(console: Console, former: str, later: str, config: Path) -> None:
    """Write a page of two runs side by side: who moved, by how much, because of data, case mix, model or rule.

    \b
    Example:
      profiling compare r-1a2b3c4d r-5e6f7a8b
    """
    settings = read_settings(config, console)
    from profiling.pipeline.publishing import compare_runs
    from profiling.store.lock import run_lock

    engine = open_results(settings)
    with run_lock(engine):
        page = compare_runs(settings, engine, former, later)
    console.answer({"page": str(page)}, [f"Page: {shown(page)}"])


@click.command()
@click.argument("run_id", metavar="RUN")
@click.argument("provider", metavar="HOSPITAL")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("bundles"), show_default=True,
    help="Where bundles are written; never inside the public site.",
)  # fmt: skip
@config_option
@voice
@click.pass_obj
def bundle(console: Console, run_id: str, provider: str, folder: Path, config: Path) -> None:
    """Write what one hospital (its id or name) may see of itself: its page with its own counts, and its worksheets.

    \b
    Example:
      profiling bundle r-1a2b3c4d H07
    """
    settings = read_settings(config, console)
    from profiling.pipeline.publishing import bundle_run

    made = bundle_run(settings, open_results(settings), run_id, provider, folder)
    said = "Not for publication: it holds small counts. It may be sent to this hospital only"
    console.answer({"folder": str(made)}, [f"Bundle: {shown(made)}", said])
