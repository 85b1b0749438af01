"""How is a table made? As the migrations left it, and as the code names it: columns, key and indexes."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a table is made of."""

    columns: dict[str, tuple[str, bool]]
    """Type and whether it may be empty, by name."""
    key: list[str]
    indexes: set[tuple[tuple[str, ...], bool]]
    """The columns of each, and whether they are unique."""


def migrated(engine: sa.Engine, table: sa.Table) -> Shape:
    """As it stands in the database."""
    inspector, name, schema = sa.inspect(engine), table.name, table.schema
    return Shape(
        columns={
            one["name"]: (one["type"].compile(_DIALECT), one["nullable"]) for one in inspector.get_columns(name, schema)
        },
        key=inspector.get_pk_constraint(name, schema)["constrained_columns"],
        indexes={
            (tuple(str(column) for column in one["column_names"]), bool(one["unique"]))
            for one in inspector.get_indexes(name, schema)
        },
    )


def named(table: sa.Table) -> Shape:
    """As the code speaks of it."""
    unique = [one for one in table.constraints if isinstance(one, sa.UniqueConstraint)]
    return Shape(
        columns={one.name: (one.type.compile(_DIALECT), bool(one.nullable)) for one in table.columns},
        key=[one.name for one in table.primary_key],
        indexes={(tuple(column.name for column in one.columns), bool(one.unique)) for one in table.indexes}
        | {(tuple(column.name for column in one.columns), True) for one in unique},
    )
