"""The tables the code speaks of are the tables the migrations made."""

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from crm_outbox.tables import metadata

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("name", sorted(table.name for table in metadata.tables.values()))
def test_a_table_has_the_columns_keys_and_indexes_the_code_names(engine: sa.Engine, name: str) -> None:
    table = metadata.tables[f"crm.{name}"]
    inspector = sa.inspect(engine)
    found = {one["name"]: (one["type"].compile(DIALECT), one["nullable"]) for one in inspector.get_columns(name, "crm")}
    assert found == {one.name: (one.type.compile(DIALECT), one.nullable) for one in table.columns}
    key = inspector.get_pk_constraint(name, "crm")["constrained_columns"]
    assert key == [one.name for one in table.primary_key]
    made = {str(one["name"]): bool(one["unique"]) for one in inspector.get_indexes(name, "crm")}
    assert made == {str(one.name): bool(one.unique) for one in table.indexes}
