"""Files that travel with the package: templates, migrations and the commented configuration.

In a checkout they stand at the top of the tree; in an installed wheel under `profiling/_shipped`.
"""

from __future__ import annotations

from pathlib import Path

from profiling.errors import InternalError, Problem

_PACKAGE = Path(__file__).resolve().parent
_SHIPPED = _PACKAGE / "_shipped"
_CHECKOUT = _PACKAGE.parent


def templates_folder() -> Path:
    """Folder of the Jinja2 templates and styles."""
    return _find("templates", "reports/templates")


def migrations_folder() -> Path:
    """Folder of the Alembic migrations (it holds `env.py` and `versions/`)."""
    return _find("migrations", "migrations")


def default_configuration() -> Path:
    """The commented `config.yaml` that `profiling init` writes and that runs the generated records."""
    return _find("config.yaml", "config.yaml")


def _find(shipped: str, in_checkout: str) -> Path:
    for candidate in (_SHIPPED / shipped, _CHECKOUT / in_checkout):
        if candidate.exists():
            return candidate
    raise InternalError(Problem(shipped, "not found", "it inside the installed package", "Install it again"))
