"""How is a schema brought to its newest revision, and does it stand there?"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from crm_outbox.messaging import days

SCHEMAS = ("crm", "economic", "sync")
_HERE = Path(__file__).parent


def up(urls: Mapping[str, str]) -> None:
    """Bring every schema to its newest revision and make its outbox days ahead; safe to repeat and to run twice at once."""
    for schema in SCHEMAS:
        engine = _engine(urls[schema])
        try:
            with engine.connect() as connection:
                # A session lock: a second migration waits for the first, then finds nothing to do.
                connection.execute(sa.text("select pg_advisory_lock(hashtextextended(:lock, 0))"), _lock(schema))
                connection.commit()
                config = _config(schema)
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                connection.execute(sa.text("select pg_advisory_unlock(hashtextextended(:lock, 0))"), _lock(schema))
                connection.commit()
            days.make_ahead(engine, schema, datetime.now(UTC).date())
        finally:
            engine.dispose()


def behind(urls: Mapping[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """The schemas that are not at their newest revision: name to (where it stands, where it should stand)."""
    found = {}
    for schema in SCHEMAS:
        head = ScriptDirectory.from_config(_config(schema)).get_current_head()
        engine = _engine(urls[schema])
        try:
            with engine.connect() as connection:
                context = MigrationContext.configure(connection, opts={"version_table_schema": schema})
                current = context.get_current_revision()
        finally:
            engine.dispose()
        if current != head:
            found[schema] = (current, head)
    return found


def messaging(number: str, schema: str) -> str:
    """The frozen text of one messaging migration, for a schema."""
    return (_HERE / f"messaging_{number}.sql").read_text(encoding="utf-8").replace("{schema}", schema)


def _config(schema: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("version_locations", str(_HERE / schema))
    config.set_main_option("path_separator", "os")
    config.attributes["schema"] = schema
    return config


def _engine(url: str) -> sa.Engine:
    given = sa.make_url(url).set(drivername="postgresql+psycopg")
    options = "-c lock_timeout=2s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
    return sa.create_engine(
        given,
        poolclass=sa.NullPool,
        connect_args={"options": options, "application_name": "migrations", "connect_timeout": 10},
    )


def _lock(schema: str) -> dict[str, str]:
    return {"lock": f"migrations.{schema}"}
