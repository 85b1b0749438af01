"""A database as an older release left it: one schema at a revision, for rows as that release wrote them; then brought to the newest."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from alembic import command

from deploy.migrations import histories
from tests.prepared import drop_database, make_database


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    """One schema of a database of its own."""

    engine: sa.Engine
    schema: str

    def upgrade(self, revision: str = "head") -> None:
        """Bring the schema to that revision."""
        with self.engine.connect() as connection:
            config = histories._config(self.schema)
            config.attributes["connection"] = connection
            command.upgrade(config, revision)


@contextmanager
def left_at(addresses: dict[str, str], schema: str, revision: str) -> Iterator[Older]:
    """That schema, alone and empty, at that revision; ``addresses`` are those of the run's servers."""
    name = f"{addresses['run']}_older_{secrets.token_hex(4)}"
    engine = sa.create_engine(make_database(addresses["database"], name, "template0"), poolclass=sa.NullPool)
    try:
        made = Older(engine=engine, schema=schema)
        made.upgrade(revision)
        yield made
    finally:
        engine.dispose()
        drop_database(addresses["database"], name)
