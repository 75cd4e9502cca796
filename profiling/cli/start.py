"""Commands to begin with: a configuration, generated records, and a look at both."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from profiling.cli.console import Console
from profiling.cli.options import config_option, read_settings, shown, voice
from profiling.cli.words import load_document, load_lines
from profiling.errors import InputRejected, Problem, UsageError


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=Path("config.yaml"))
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@voice
@click.pass_obj
def init(console: Console, file: Path, force: bool) -> None:
    """Write a configuration that explains itself.

    It runs the generated records as it stands; change it to your own files and measures.

    \b
    Example:
      profiling init
    """
    from profiling.shipped import default_configuration

    if file.exists() and not force:
        raise UsageError(Problem(str(file), "a file is there", "a new name", "Replace it with --force"))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(default_configuration(), file)
    except OSError as error:
        reason = (error.strerror or "no reason given").lower()
        raise UsageError(Problem(str(file), f"cannot be written ({reason})", "a place to write")) from None
    console.answer({"file": str(file)}, [f"Wrote {file}", "Next: profiling sample, then profiling run"])


@click.command()
@config_option
@voice
@click.pass_obj
def check(console: Console, config: Path) -> None:
    """Validate the configuration and the records; touch nothing.

    Every problem is named at once: those of the configuration with file, line and key, those of the records
    with source, rule and column.

    \b
    Example:
      profiling check --config config.yaml
    """
    settings = read_settings(config, console)
    from profiling.etl import check_inputs

    loaded = check_inputs(settings)
    console.answer(
        {"config": str(settings.path), **load_document(loaded)},
        [f"{shown(settings.path)}: {len(settings.measures)} measures, no problem", *load_lines(loaded)],
    )


@click.command()
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("data/sample"),
    show_default=True, help="Where the files go.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0), default=20240101, show_default=True, help="Same seed, same records."
)
@click.option("--force", is_flag=True, help="Replace files that are there.")
@voice
@click.pass_obj
def sample(console: Console, folder: Path, seed: int, force: bool) -> None:
    """Write generated records as files, with the truth beside them.

    40 hospitals, 400 physicians, 30,000 admissions of 22,000 patients over three years, with known effects,
    missing values and half a percent of rows broken on purpose. Nobody in them exists.

    \b
    Example:
      profiling sample --folder data/sample
    """
    if (folder / "encounters.csv.gz").exists() and not force:
        raise UsageError(Problem(str(folder), "records are there", "an empty folder", "Replace them with --force"))
    from profiling.etl.sample import write_sample

    try:
        with console.progress() as progress:
            progress(f"Drawing records into {folder}")
            write_sample(folder, seed)
    except OSError as error:
        reason = (error.strerror or "no reason given").lower()
        raise InputRejected(Problem(str(folder), f"cannot be written ({reason})", "a place to write")) from None
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    console.answer({"folder": str(folder), "seed": seed, "files": files}, [f"Wrote {len(files)} files to {folder}"])
