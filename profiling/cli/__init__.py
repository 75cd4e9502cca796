"""The commands. What is heavy is imported inside commands: `--help` must be quick."""

from profiling.cli.main import commands, main

__all__ = ["commands", "main"]
