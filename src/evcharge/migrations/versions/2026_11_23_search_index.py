"""The search asks an index of its own: a row for each location and kind of plug."""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "2026_11_23_search_index"
down_revision = "2026_11_23_tokens"

ROWS = sa.table(
    "location_connectors",
    *map(
        sa.column,
        ("location_id", "kind", "lat", "lon", "max_power_w", "x", "y", "z"),
    ),
)
CELLS = sa.table(
    "location_cells", *map(sa.column, ("kind", "north", "east", "locations"))
)
# The plugs people can find, as they were when this was written.
FOUND = sa.text(
    "SELECT l.id, l.lat, l.lon, n.kind, coalesce(max(n.power_w), 0) AS power_w"
    " FROM locations l"
    " JOIN chargers c ON c.location_id = l.id"
    " JOIN evses e ON e.charger_id = c.id"
    " LEFT JOIN connectors n ON n.evse_id = e.id"
    " WHERE l.is_active AND e.lifecycle <> 'removed'"
    " GROUP BY l.id, l.lat, l.lon, n.kind ORDER BY l.id"
)


def upgrade() -> None:
    op.create_table(
        "location_connectors",
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("max_power_w", sa.Integer(), nullable=False),
        sa.Column("x", sa.Double(), nullable=False),
        sa.Column("y", sa.Double(), nullable=False),
        sa.Column("z", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["locations.id"],
            name="fk_location_connectors_location_id_locations",
        ),
        sa.PrimaryKeyConstraint("location_id", "kind", name="pk_location_connectors"),
    )
    op.create_table(
        "location_cells",
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("north", sa.Integer(), nullable=False),
        sa.Column("east", sa.Integer(), nullable=False),
        sa.Column("locations", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "north", "east", name="pk_location_cells"),
    )
    _fill(op.get_bind())
    op.create_index(
        "ix_location_connectors_search",
        "location_connectors",
        ["kind", "lat", "lon", "location_id", "max_power_w", "x", "y", "z"],
    )
    op.create_index("ix_locations_name_id", "locations", ["name", "id"])


def downgrade() -> None:
    op.drop_index("ix_locations_name_id", "locations")
    op.drop_table("location_cells")
    op.drop_table("location_connectors")


def _fill(connection: sa.Connection) -> None:
    rows = list(_rows(connection))
    if not rows:
        return
    connection.execute(ROWS.insert(), rows)
    cells = Counter(
        (
            row["kind"],
            math.floor((row["lat"] + 90) * 4),
            math.floor((row["lon"] + 180) * 4),
        )
        for row in rows
    )
    names = ("kind", "north", "east", "locations")
    connection.execute(
        CELLS.insert(),
        [dict(zip(names, (*cell, n), strict=True)) for cell, n in cells.items()],
    )


def _rows(connection: sa.Connection) -> Iterator[dict[str, Any]]:
    """Yield a row for each kind at a location, and one named "" for any kind."""
    any_kind: dict[int, dict[str, Any]] = {}
    for location_id, lat, lon, kind, power_w in connection.execute(FOUND):
        phi, theta = math.radians(lat), math.radians(lon)
        row = {
            "location_id": location_id,
            "lat": lat,
            "lon": lon,
            "max_power_w": power_w,
            "x": math.cos(phi) * math.cos(theta),
            "y": math.cos(phi) * math.sin(theta),
            "z": math.sin(phi),
        }
        strongest = any_kind.setdefault(location_id, row | {"kind": ""})
        strongest["max_power_w"] = max(strongest["max_power_w"], power_w)
        if kind is not None:
            yield row | {"kind": kind}
    yield from any_kind.values()
