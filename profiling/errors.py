"""Errors of the project: each says where, what was found, what was expected, what to do, and its exit code.

Messages never hold a patient's value or identifier.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where it stands, what was found, what was expected and what to do about it."""

    where: str
    found: str
    expected: str = ""
    advice: str = ""

    def __str__(self) -> str:
        expected = f"; expected {self.expected}" if self.expected else ""
        advice = f". {self.advice}" if self.advice else ""
        return f"{self.where}: {self.found}{expected}{advice}"


class ProfilingError(Exception):
    """Base of all errors that a user can meet. `problems` holds everything that is wrong, not only the first."""

    exit_code = 70

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(ProfilingError):
    """The command was called with words it does not take."""

    exit_code = 2


class ConfigurationError(ProfilingError):
    """The configuration file is missing, unreadable or says something impossible."""

    exit_code = 10


class InputRejected(ProfilingError):
    """The records cannot be loaded: a file is missing, a column is absent or too many rows break a rule."""

    exit_code = 11


class DatabaseError(ProfilingError):
    """The database cannot be opened, migrated, read or written."""

    exit_code = 12


class NotConverged(ProfilingError):
    """A model has no trustworthy maximum; nothing is published."""

    exit_code = 13


class DisclosureError(ProfilingError):
    """Publishing would reveal a small count."""

    exit_code = 14


class LockHeld(ProfilingError):
    """Another run is at work on the same database."""

    exit_code = 15


class VerificationFailed(ProfilingError):
    """A published file is not what its manifest says."""

    exit_code = 16


class PublicationHeld(ProfilingError):
    """A gate holds publication until somebody releases it."""

    exit_code = 17


class InternalError(ProfilingError):
    """A fault of the program itself."""

    exit_code = 70


class ModelError(ProfilingError):
    """The model asked for cannot be fitted to these data; the message names the term, level or column."""

    exit_code = 13
