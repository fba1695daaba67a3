"""Finding: who may drive up, what a kWh comes to, how reliable; the map in cells.

Safe beside the previous release: it ignores the new columns, and rows that it writes
take their defaults. Cells of the map that it does not keep are made anew by
`evcharge search rebuild`.
"""

import math
from collections import defaultdict

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_find"
down_revision = "2026_11_25_money"

SEARCH = "ix_location_connectors_search"
PLACE = ["kind", "lat", "lon", "location_id", "max_power_w", "x", "y", "z"]
FACTS = ["operator_id", "traits", "paise_per_kwh", "reliability_permille"]
LEVELS = range(-2, 7)
# The bits of the amenities, in the order they had when this was written; 1: public.
AMENITIES = (
    "restrooms",
    "drinking_water",
    "food",
    "cafe",
    "waiting_room",
    "wifi",
    "shop",
    "hotel",
    "parking",
    "roof",
    "lighting",
    "security",
    "wheelchair",
    "tyre_air",
)
CELLS = sa.table(
    "map_cells",
    *map(
        sa.column,
        ("level", "kind", "north", "east", "locations", "sum_lat_e6", "sum_lon_e6"),
    ),
)


def upgrade() -> None:
    op.add_column(
        "locations",
        sa.Column("access", sa.String(20), nullable=False, server_default="public"),
    )
    op.add_column("locations", sa.Column("reliability_permille", sa.Integer()))
    op.add_column("evses", sa.Column("paise_per_kwh", sa.Integer()))
    no_price = sa.text("paise_per_kwh IS NULL")
    op.create_index(
        "ix_evses_no_price",
        "evses",
        ["id"],
        postgresql_where=no_price,
        sqlite_where=no_price,
    )
    op.drop_index(SEARCH, "location_connectors")
    for name, default in zip(FACTS, ("0", "0", str(2**31 - 1), "-1"), strict=True):
        op.add_column(
            "location_connectors",
            sa.Column(name, sa.Integer(), nullable=False, server_default=default),
        )
    op.create_table(
        "map_cells",
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("north", sa.Integer(), nullable=False),
        sa.Column("east", sa.Integer(), nullable=False),
        sa.Column("locations", sa.Integer(), nullable=False),
        sa.Column("sum_lat_e6", sa.BigInteger(), nullable=False),
        sa.Column("sum_lon_e6", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("level", "kind", "north", "east", name="pk_map_cells"),
    )
    op.create_table(
        "favourites",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_favourites_user_id_users"
        ),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["locations.id"],
            name="fk_favourites_location_id_locations",
        ),
        sa.PrimaryKeyConstraint("user_id", "location_id", name="pk_favourites"),
    )
    op.create_index("ix_favourites_location_id", "favourites", ["location_id"])
    _fill(op.get_bind())
    op.create_index(SEARCH, "location_connectors", PLACE + FACTS)


def downgrade() -> None:
    op.drop_table("favourites")
    op.drop_table("map_cells")
    op.drop_index(SEARCH, "location_connectors")
    for name in FACTS:
        op.drop_column("location_connectors", name)
    op.create_index(SEARCH, "location_connectors", PLACE)
    op.drop_index("ix_evses_no_price", "evses")
    op.drop_column("evses", "paise_per_kwh")
    op.drop_column("locations", "reliability_permille")
    op.drop_column("locations", "access")


def _fill(connection: sa.Connection) -> None:
    _tell_traits(connection)
    cells = _cells(connection)
    if cells:
        names = [column.name for column in CELLS.columns]
        connection.execute(
            CELLS.insert(),
            [
                dict(zip(names, (*cell, *sums), strict=True))
                for cell, sums in cells.items()
            ],
        )


def _tell_traits(connection: sa.Connection) -> None:
    """Write what the index is to know of each location: its operator, its traits."""
    bits = {name: 4 << number for number, name in enumerate(AMENITIES)}
    locations = sa.table(
        "locations",
        sa.column("id"),
        sa.column("operator_id"),
        sa.column("amenities", sa.JSON),
    )
    values = [
        {
            "operator": row.operator_id,
            "traits": 1 + sum({bits.get(each, 0) for each in row.amenities or ()}),
            "location": row.id,
        }
        for row in connection.execute(sa.select(locations))
    ]
    if values:
        connection.execute(
            sa.text(
                "UPDATE location_connectors"
                " SET operator_id = :operator, traits = :traits"
                " WHERE location_id = :location"
            ),
            values,
        )


def _cells(connection: sa.Connection) -> dict[tuple[int, str, int, int], list[int]]:
    cells: dict[tuple[int, str, int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    rows = connection.execute(sa.text("SELECT kind, lat, lon FROM location_connectors"))
    for kind, lat, lon in rows:
        place = [round(lat * 1_000_000), round(lon * 1_000_000)]
        for level in LEVELS:
            north, east = (
                math.floor((each / 1_000_000 + edge) * 2.0**level)
                for each, edge in zip(place, (90, 180), strict=True)
            )
            sums = cells[level, kind, north, east]
            sums[0] += 1
            sums[1] += place[0]
            sums[2] += place[1]
    return cells
