"""Runs the migrations on the connection the program hands over, inside its transaction."""

from alembic import context

from profiling.store.engine import open_database, writing
from profiling.store.tables import metadata


def _migrate(connection: object) -> None:
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    _migrate(handed_over)
else:
    # For `alembic revision --autogenerate -x url=...` during development.
    with writing(open_database(context.get_x_argument(as_dictionary=True)["url"])) as own:
        _migrate(own)
