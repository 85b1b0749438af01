"""The tables the code speaks of are the tables the migrations made."""

import pytest
import sqlalchemy as sa

from reconciler.past_tables import metadata
from tests.builders.tables import migrated, named


@pytest.mark.parametrize("name", sorted(table.name for table in metadata.tables.values()))
def test_a_table_has_the_columns_keys_and_indexes_the_code_names(engine: sa.Engine, name: str) -> None:
    table = metadata.tables[f"sync.{name}"]
    assert migrated(engine, table) == named(table)
