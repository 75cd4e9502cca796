"""Reading a configuration file into frozen settings, or into the list of everything that is wrong with it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from profiling.config.checks import cross_check
from profiling.config.problems import FILE_FIELDS, explain, unknown_key
from profiling.config.settings import Settings
from profiling.config.yaml_text import Document, read_document
from profiling.errors import ConfigurationError, Problem


def load_settings(path: Path, environment: Mapping[str, str]) -> Settings:
    """Settings of a file, with `${VARIABLE}` taken from `environment`.

    Raises ConfigurationError with all problems of the file, each with its line and the path of its key.
    """
    path = path.expanduser().resolve()
    document = read_document(path, environment)
    problems = [*document.problems, *_reserved(document)]
    settings: Settings | None = None
    try:
        settings = _validate(document)
    except ValidationError as failure:
        problems += explain(failure.errors(include_url=False), document)
    problems += cross_check(document)
    if problems or settings is None:
        raise ConfigurationError(sorted(problems, key=_line))
    return settings


def _validate(document: Document) -> Settings:
    about = {
        "path": document.path,
        "text": document.text,
        "sha256": hashlib.sha256(document.text.encode()).hexdigest(),
    }
    return Settings.model_validate({**document.tree, **about}, context={"folder": document.path.parent})


def _reserved(document: Document) -> list[Problem]:
    return [unknown_key((name,), document) for name in FILE_FIELDS if name in document.tree]


def _line(problem: Problem) -> int:
    match = re.search(r":(\d+)", problem.where)
    return int(match[1]) if match else 0
