"""`python -m profiling` is the command `profiling`."""

from profiling.cli import main

main()
