"""Reading YAML 1.2 into plain values with the line of every key, and expanding `${VARIABLE}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from profiling.errors import ConfigurationError, Problem

KeyPath = tuple[str | int, ...]
MAXIMAL_DEPTH = 20
_VARIABLE = re.compile(r"\$\$\{|\$\{([^}]*)\}?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Document:
    """A configuration file as read: plain values, the line of each key and the problems met so far."""

    path: Path
    text: str
    tree: dict[str, Any]
    lines: dict[KeyPath, int]
    problems: list[Problem] = field(default_factory=list)
    spoilt: set[KeyPath] = field(default_factory=set)

    def where(self, path: KeyPath) -> str:
        """`file:line key.path` of a key, or of its nearest ancestor that stands in the file."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        return f"{self.path.name}:{self.lines.get(known, 1)} {dotted(path)}".rstrip()


def dotted(path: KeyPath) -> str:
    """A path of keys in words: `measures[0].flag.rule`."""
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return words.removeprefix(".")


def read_document(path: Path, environment: Mapping[str, str]) -> Document:
    """Read a file; ConfigurationError where it is no YAML, other problems are collected in the document."""
    text = _read_text(path)
    root = _parse(path, text)
    document = Document(path, text, {}, {})
    document.tree.update(_plain(root, (), document, environment))
    return document


class _Constructor(RoundTripConstructor):
    """Keeps what only looks like a date as text, so that the check of its key can say so with its line."""

    def construct_yaml_timestamp(self, node: Any, values: Any = None) -> Any:
        """A date, or the text of an impossible one."""
        try:
            return super().construct_yaml_timestamp(node, values)
        except ValueError:
            return str(node.value)


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _Constructor.construct_yaml_timestamp)


def _read_text(path: Path) -> str:
    advice = "Name another with --config, or write one with 'profiling init'"
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigurationError(Problem(str(path), "no such file", "a configuration file", advice)) from None
    except UnicodeDecodeError:
        raise ConfigurationError(Problem(str(path), "bytes that are not UTF-8", "text in UTF-8")) from None
    except OSError as problem:
        reason = (problem.strerror or "unreadable").lower()
        raise ConfigurationError(Problem(str(path), f"not readable ({reason})", "a readable file")) from None


def _parse(path: Path, text: str) -> CommentedMap:
    reader = YAML(typ="rt")
    reader.Constructor = _Constructor
    reader.allow_duplicate_keys = False
    try:
        root = reader.load(text)
    except DuplicateKeyError as problem:
        raise ConfigurationError(_duplicate(path, problem)) from None
    except MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        found = str(problem.problem or problem.context or "text that is not YAML").split("\n")[0]
        raise ConfigurationError(Problem(f"{path.name}:{line}", f"found {found}", "YAML 1.2")) from None
    except (YAMLError, ValueError, RecursionError) as problem:
        found = str(problem).split("\n")[0] or "text that is not YAML"
        raise ConfigurationError(Problem(f"{path.name}:1", f"found {found}", "YAML 1.2")) from None
    if not isinstance(root, CommentedMap):
        found = "an empty file" if root is None else "no keys at the top"
        raise ConfigurationError(
            Problem(f"{path.name}:1", f"found {found}", "keys such as title, sources and measures")
        )
    return root


def _duplicate(path: Path, problem: DuplicateKeyError) -> Problem:
    line = problem.problem_mark.line + 1 if problem.problem_mark else 1
    key = re.search(r'duplicate key "([^"]*)"', str(problem.problem))
    name = f" '{key[1]}'" if key else ""
    return Problem(f"{path.name}:{line}", f"found key{name} a second time", "every key once")


def _plain(node: Any, path: KeyPath, document: Document, environment: Mapping[str, str]) -> Any:
    if len(path) > MAXIMAL_DEPTH:
        where = document.where(path[:3])
        raise ConfigurationError(Problem(where, "found keys nested without end", "a finite file"))
    if isinstance(node, CommentedMap):
        return {
            str(key): _plain(value, _note(node, key, path, document), document, environment)
            for key, value in node.items()
            if _is_text(key, path, node, document)
        }
    if isinstance(node, CommentedSeq):
        return [
            _plain(value, _note(node, index, path, document), document, environment)
            for index, value in enumerate(node)
        ]
    return _scalar(node, path, document, environment)


def _note(node: CommentedMap | CommentedSeq, key: Any, path: KeyPath, document: Document) -> KeyPath:
    inner = (*path, key)
    position = node.lc.data.get(key) if node.lc.data else None
    if position:
        document.lines[inner] = position[0] + 1
    return inner


def _is_text(key: Any, path: KeyPath, node: CommentedMap, document: Document) -> bool:
    if isinstance(key, str):
        return True
    position = node.lc.data.get(key) if node.lc.data else None
    line = position[0] + 1 if position else document.lines.get(path, 1)
    where = f"{document.path.name}:{line} {dotted(path)}".rstrip()
    document.problems.append(Problem(where, f"found the key {key!s} that is not text", "a name"))
    return False


def _scalar(node: Any, path: KeyPath, document: Document, environment: Mapping[str, str]) -> Any:
    if isinstance(node, bool) or node is None or isinstance(node, date):
        return node
    if isinstance(node, str):
        return _expand(str(node), path, document, environment)
    for kind in (int, float):
        if isinstance(node, kind):
            return kind(node)
    if type(node).__name__ == "ScalarBoolean":
        return bool(node)
    document.problems.append(Problem(document.where(path), "found a tagged value", "a plain value"))
    document.spoilt.add(path)
    return None


def _expand(text: str, path: KeyPath, document: Document, environment: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "${"
        if match[0].endswith("}") and _NAME.fullmatch(name) and name in environment:
            return environment[name]
        document.problems.append(_unknown_variable(name, match[0], document.where(path)))
        document.spoilt.add(path)
        return match[0]

    return _VARIABLE.sub(value, text)


def _unknown_variable(name: str, written: str, where: str) -> Problem:
    if not written.endswith("}") or not _NAME.fullmatch(name):
        found = "found '${' without a variable's name and '}'"
        return Problem(where, found, "${VARIABLE}", "A plain '${' is '$${'")
    found = f"found ${{{name}}}, but the environment variable {name} is not set"
    return Problem(where, found, "it to be set", f"Set it, as in: {name}=... profiling run")
