"""How does alembic run one history? On the connection it is given, with the schema's own table of revisions."""

import sqlalchemy as sa
from alembic import context

schema: str = context.config.attributes["schema"]
connection: sa.Connection = context.config.attributes["connection"]

connection.execute(sa.text(f"create schema if not exists {schema}"))
connection.commit()
context.configure(
    connection=connection,
    version_table="alembic_version",
    version_table_schema=schema,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
