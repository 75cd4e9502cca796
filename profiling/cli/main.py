"""`profiling`: the group of commands and its way out."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from profiling import __version__
from profiling.cli import failures
from profiling.cli.aggregates import assess
from profiling.cli.console import Console
from profiling.cli.database import db
from profiling.cli.published import bundle, compare, release, verify
from profiling.cli.registry import runs, show
from profiling.cli.start import check, init, sample
from profiling.cli.structure import structure
from profiling.cli.work import fit, load, report, run
from profiling.errors import ProfilingError

EPILOG = """\b
Exit codes: 0 done; 2 usage; 10 configuration; 11 input rejected; 12 database;
13 a model did not converge; 14 disclosure control; 15 another run is at work;
16 verification failed; 17 publication held; 70 internal fault; 130 interrupted.
"""


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="profiling")
def commands() -> None:
    """Patient records in, risk-adjusted evidence about hospitals and physicians out.

    \b
    The whole way, on generated records:
      profiling init
      profiling sample
      profiling run
    """


for command in (
    init,
    check,
    sample,
    load,
    fit,
    report,
    run,
    assess,
    structure,
    runs,
    show,
    verify,
    release,
    compare,
    bundle,
    db,
):
    commands.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and leave with its exit code."""
    sys.exit(execute(sys.argv[1:] if arguments is None else list(arguments)))


def execute(arguments: list[str]) -> int:
    """Run a command; the exit code says how it ended."""
    console = Console(as_json="--json" in arguments)
    try:
        result = commands.main(arguments, prog_name="profiling", standalone_mode=False, obj=console)
        return result if isinstance(result, int) else 0
    except ProfilingError as error:
        return failures.end_of_known(error, console)
    except click.ClickException as error:
        return failures.end_of_usage(error, console)
    except (KeyboardInterrupt, click.Abort):
        return failures.end_of_interrupt(console)
    except BrokenPipeError:
        return failures.end_of_pipe()
    except Exception as error:
        return failures.end_of_unknown(error, console)
