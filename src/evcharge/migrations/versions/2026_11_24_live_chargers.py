"""Chargers connect: their keys, connections, commands and words; charging sessions.

Safe beside the previous release: it reads and writes none of these tables, and the
columns that are new in its tables have defaults.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "2026_11_24_live_chargers"
down_revision = "2026_11_23_search_index"

# SQLite counts by itself only what it calls INTEGER.
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)

OWNERS_BEFORE = (
    "(kind = 'booking' AND booking_id IS NOT NULL AND block_id IS NULL)"
    " OR (kind = 'block' AND block_id IS NOT NULL AND booking_id IS NULL)"
)
OWNERS = (
    "(kind = 'booking' AND booking_id IS NOT NULL"
    " AND block_id IS NULL AND session_id IS NULL)"
    " OR (kind = 'block' AND block_id IS NOT NULL"
    " AND booking_id IS NULL AND session_id IS NULL)"
    " OR (kind = 'session' AND session_id IS NOT NULL"
    " AND booking_id IS NULL AND block_id IS NULL)"
)


def _new_columns() -> dict[str, list[sa.Column[Any]]]:
    def word(name: str, length: int, default: str = "") -> sa.Column[Any]:
        return sa.Column(
            name, sa.String(length), nullable=False, server_default=default
        )

    return {
        "locations": [word("overrun", 20, "warn")],
        "evses": [sa.Column("open_session_id", sa.Uuid(), nullable=True)],
        "connectors": [
            word("error_code", 50),
            word("vendor_error_code", 50),
            word("error_info", 100),
        ],
        "bookings": [sa.Column("session_started_at", INSTANT, nullable=True)],
    }


def upgrade() -> None:
    for table, columns in _new_columns().items():
        for column in columns:
            op.add_column(table, column)
    _create_cards()
    _create_control()
    _create_charging()
    _let_sessions_claim()


def downgrade() -> None:
    _let_sessions_claim_no_more()
    for table in (
        "unmatched_stops",
        "ocpp_reservations",
        "ocpp_transaction_events",
        "ocpp_transactions",
        "session_events",
        "meter_samples",
        "session_latest",
        "charging_sessions",
        "charger_notices",
        "charger_variables",
        "charger_messages",
        "charger_commands",
        "parked_chargers",
        "charger_connections",
        "charger_keys",
        "outages",
        "rfid_tags",
    ):
        op.drop_table(table)
    for table, columns in _new_columns().items():
        for column in columns:
            op.drop_column(table, column.name)


def _references(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    """Return foreign keys of `table`: its columns and what they are the id of."""
    return [
        sa.ForeignKeyConstraint(
            [column], [f"{target}"], name=f"fk_{table}_{column}_{target.split('.')[0]}"
        )
        for column, target in columns.items()
    ]


def _create_cards() -> None:
    op.create_table(
        "rfid_tags",
        sa.Column("uid", sa.String(36), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("is_blocked", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        *_references("rfid_tags", user_id="users.id", created_by="users.id"),
        sa.PrimaryKeyConstraint("uid", name="pk_rfid_tags"),
    )
    op.create_index("ix_rfid_tags_user_id", "rfid_tags", ["user_id"])
    op.create_table(
        "outages",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("evse_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        *_references("outages", evse_id="evses.id"),
        sa.PrimaryKeyConstraint("id", name="pk_outages"),
    )
    op.create_index("ix_outages_evse_id_ended_at", "outages", ["evse_id", "ended_at"])
    op.create_index(
        "ix_outages_open",
        "outages",
        ["evse_id", "kind"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )


def _create_control() -> None:
    op.create_table(
        "charger_keys",
        sa.Column("charger_id", sa.Integer(), nullable=False),
        sa.Column("salt", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        *_references("charger_keys", charger_id="chargers.id", created_by="users.id"),
        sa.PrimaryKeyConstraint("charger_id", name="pk_charger_keys"),
    )
    op.create_table(
        "charger_connections",
        sa.Column("charger_id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("gateway", sa.String(36), nullable=False),
        sa.Column("protocol", sa.String(20), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("booted_at", INSTANT, nullable=True),
        sa.Column("serial_number", sa.String(50), nullable=False),
        sa.Column("firmware_version", sa.String(50), nullable=False),
        *_references("charger_connections", charger_id="chargers.id"),
        sa.PrimaryKeyConstraint("charger_id", name="pk_charger_connections"),
    )
    op.create_index(
        "ix_charger_connections_gateway", "charger_connections", ["gateway"]
    )
    op.create_table(
        "parked_chargers",
        sa.Column("identity", sa.String(48), nullable=False),
        sa.Column("protocol", sa.String(20), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("salt", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("vendor", sa.String(50), nullable=False),
        sa.Column("model", sa.String(50), nullable=False),
        sa.Column("serial_number", sa.String(50), nullable=False),
        sa.Column("first_seen_at", INSTANT, nullable=False),
        sa.Column("last_seen_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("identity", name="pk_parked_chargers"),
    )
    op.create_table(
        "charger_commands",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("charger_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("answer", sa.String(200), nullable=False),
        sa.Column("answer_details", sa.JSON(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        *_references(
            "charger_commands", charger_id="chargers.id", created_by="users.id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_charger_commands"),
    )
    op.create_index(
        "ix_charger_commands_charger_id_created_at",
        "charger_commands",
        ["charger_id", "created_at"],
    )
    op.create_index(
        "ix_charger_commands_session_id", "charger_commands", ["session_id"]
    )
    op.create_index(
        "ix_charger_commands_state_expires_at",
        "charger_commands",
        ["state", "expires_at"],
    )
    op.create_table(
        "charger_messages",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("charger_id", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("direction", sa.String(20), nullable=False),
        sa.Column("action", sa.String(50), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        *_references("charger_messages", charger_id="chargers.id"),
        sa.PrimaryKeyConstraint("id", name="pk_charger_messages"),
    )
    op.create_index("ix_charger_messages_at", "charger_messages", ["at"])
    op.create_index(
        "ix_charger_messages_charger_id_id", "charger_messages", ["charger_id", "id"]
    )
    op.create_table(
        "charger_variables",
        sa.Column("charger_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(150), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("is_readonly", sa.Boolean(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        *_references("charger_variables", charger_id="chargers.id"),
        sa.PrimaryKeyConstraint("charger_id", "name", name="pk_charger_variables"),
    )
    op.create_table(
        "charger_notices",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("charger_id", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        *_references("charger_notices", charger_id="chargers.id"),
        sa.PrimaryKeyConstraint("id", name="pk_charger_notices"),
    )
    op.create_index("ix_charger_notices_at", "charger_notices", ["at"])
    op.create_index(
        "ix_charger_notices_charger_id_id", "charger_notices", ["charger_id", "id"]
    )


def _create_charging() -> None:
    op.create_table(
        "charging_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(12), nullable=False),
        sa.Column("evse_id", sa.Integer(), nullable=False),
        sa.Column("connector_number", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("started_by", sa.String(20), nullable=False),
        sa.Column("tag", sa.String(36), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("started_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("charger_started_at", INSTANT, nullable=True),
        sa.Column("charger_ended_at", INSTANT, nullable=True),
        sa.Column("meter_start_wh", sa.BigInteger(), nullable=True),
        sa.Column("meter_wh", sa.BigInteger(), nullable=True),
        sa.Column("meter_low_wh", sa.BigInteger(), nullable=True),
        sa.Column("meter_offset_wh", sa.BigInteger(), nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=False),
        sa.Column("price_paise_per_hour", sa.Integer(), nullable=False),
        sa.Column("amount_paise", sa.Integer(), nullable=False),
        sa.Column("charging_state", sa.String(20), nullable=False),
        sa.Column("stop_reason", sa.String(40), nullable=False),
        sa.Column("failure", sa.String(200), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.UniqueConstraint("reference", name="uq_charging_sessions_reference"),
        sa.CheckConstraint("energy_wh >= 0", name=op.f("ck_charging_sessions_energy")),
        *_references(
            "charging_sessions",
            evse_id="evses.id",
            user_id="users.id",
            booking_id="bookings.id",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_charging_sessions"),
    )
    op.create_index(
        "ix_charging_sessions_booking_id", "charging_sessions", ["booking_id"]
    )
    op.create_index(
        "ix_charging_sessions_evse_id_ended_at",
        "charging_sessions",
        ["evse_id", "ended_at"],
    )
    op.create_index(
        "ix_charging_sessions_evse_id_status",
        "charging_sessions",
        ["evse_id", "status"],
    )
    op.create_index(
        "ix_charging_sessions_status_created_at",
        "charging_sessions",
        ["status", "created_at"],
    )
    op.create_index(
        "ix_charging_sessions_user_id_created_at",
        "charging_sessions",
        ["user_id", "created_at"],
    )
    op.create_table(
        "session_latest",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("power_w", sa.Integer(), nullable=True),
        sa.Column("soc_percent", sa.Integer(), nullable=True),
        *_references("session_latest", session_id="charging_sessions.id"),
        sa.PrimaryKeyConstraint("session_id", name="pk_session_latest"),
    )
    op.create_table(
        "meter_samples",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("measured_at", INSTANT, nullable=True),
        sa.Column("energy_wh", sa.BigInteger(), nullable=True),
        sa.Column("power_w", sa.Integer(), nullable=True),
        sa.Column("soc_percent", sa.Integer(), nullable=True),
        *_references("meter_samples", session_id="charging_sessions.id"),
        sa.PrimaryKeyConstraint("id", name="pk_meter_samples"),
    )
    op.create_index(
        "ix_meter_samples_session_id_at", "meter_samples", ["session_id", "at"]
    )
    op.create_table(
        "session_events",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("actor", sa.String(20), nullable=False),
        sa.Column("actor_user_id", sa.Integer(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        *_references(
            "session_events",
            session_id="charging_sessions.id",
            actor_user_id="users.id",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_session_events"),
    )
    op.create_index("ix_session_events_session_id", "session_events", ["session_id"])
    op.create_table(
        "ocpp_transactions",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("charger_id", sa.Integer(), nullable=False),
        sa.Column("transaction_ref", sa.String(36), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("is_allowed", sa.Boolean(), nullable=False),
        sa.Column("connector_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(36), nullable=True),
        sa.Column("meter_start_wh", sa.BigInteger(), nullable=True),
        sa.Column("charger_started_at", INSTANT, nullable=True),
        sa.UniqueConstraint(
            "charger_id",
            "transaction_ref",
            name="uq_ocpp_transactions_charger_id_transaction_ref",
        ),
        *_references(
            "ocpp_transactions",
            charger_id="chargers.id",
            session_id="charging_sessions.id",
        ),
        sa.PrimaryKeyConstraint("number", name="pk_ocpp_transactions"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_ocpp_transactions_charger_id_is_open",
        "ocpp_transactions",
        ["charger_id", "is_open"],
    )
    op.create_index(
        "ix_ocpp_transactions_session_id", "ocpp_transactions", ["session_id"]
    )
    op.create_table(
        "ocpp_transaction_events",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("seq_no", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(20), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        *_references("ocpp_transaction_events", number="ocpp_transactions.number"),
        sa.PrimaryKeyConstraint("number", "seq_no", name="pk_ocpp_transaction_events"),
    )
    op.create_table(
        "ocpp_reservations",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("charger_id", sa.Integer(), nullable=False),
        sa.Column("evse_id", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        *_references(
            "ocpp_reservations",
            booking_id="bookings.id",
            charger_id="chargers.id",
            evse_id="evses.id",
        ),
        sa.PrimaryKeyConstraint("number", name="pk_ocpp_reservations"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_ocpp_reservations_booking_id", "ocpp_reservations", ["booking_id"]
    )
    op.create_index("ix_ocpp_reservations_ended_at", "ocpp_reservations", ["ended_at"])
    op.create_table(
        "unmatched_stops",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("charger_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(36), nullable=True),
        sa.Column("meter_wh", sa.BigInteger(), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("charger_at", INSTANT, nullable=True),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("matched_at", INSTANT, nullable=True),
        *_references(
            "unmatched_stops",
            charger_id="chargers.id",
            session_id="charging_sessions.id",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_unmatched_stops"),
    )
    op.create_index(
        "ix_unmatched_stops_charger_id_matched_at",
        "unmatched_stops",
        ["charger_id", "matched_at"],
    )


def _let_sessions_claim() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rebuild_claims(OWNERS, [*CLAIM_COLUMNS, "session_id"])
    else:
        op.add_column("slot_claims", sa.Column("session_id", sa.Uuid(), nullable=True))
        _replace_owners(OWNERS)
        op.create_foreign_key(
            "fk_slot_claims_session_id_charging_sessions",
            "slot_claims",
            "charging_sessions",
            ["session_id"],
            ["id"],
        )
    op.create_index("ix_slot_claims_session_id", "slot_claims", ["session_id"])


def _let_sessions_claim_no_more() -> None:
    op.execute("DELETE FROM slot_claims WHERE kind = 'session'")
    op.drop_index("ix_slot_claims_session_id", "slot_claims")
    if op.get_bind().dialect.name == "sqlite":
        _rebuild_claims(OWNERS_BEFORE, CLAIM_COLUMNS)
    else:
        _replace_owners(OWNERS_BEFORE)
        op.drop_column("slot_claims", "session_id")


CLAIM_COLUMNS = ["evse_id", "slot_no", "kind", "booking_id", "block_id"]
OWNED_BY = {
    "booking_id": "bookings.id",
    "block_id": "maintenance_blocks.id",
    "session_id": "charging_sessions.id",
}


def _replace_owners(owners: str) -> None:
    op.drop_constraint(op.f("ck_slot_claims_owner"), "slot_claims", type_="check")
    op.create_check_constraint(op.f("ck_slot_claims_owner"), "slot_claims", owners)


def _rebuild_claims(owners: str, columns: list[str]) -> None:
    """SQLite changes neither a CHECK nor a foreign key of a table it has."""
    kept = ", ".join(CLAIM_COLUMNS)
    op.rename_table("slot_claims", "slot_claims_before")
    op.drop_index("ix_slot_claims_block_id", "slot_claims_before")
    op.drop_index("ix_slot_claims_booking_id", "slot_claims_before")
    owned_by = {name: OWNED_BY[name] for name in columns if name in OWNED_BY}
    op.create_table(
        "slot_claims",
        sa.Column("evse_id", sa.Integer(), nullable=False),
        sa.Column("slot_no", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        *(sa.Column(name, sa.Uuid(), nullable=True) for name in owned_by),
        sa.CheckConstraint(owners, name=op.f("ck_slot_claims_owner")),
        *_references("slot_claims", evse_id="evses.id", **owned_by),
        sa.PrimaryKeyConstraint("evse_id", "slot_no", name="pk_slot_claims"),
        sqlite_with_rowid=False,
    )
    op.execute(
        f"INSERT INTO slot_claims ({kept}) SELECT {kept} FROM slot_claims_before"  # noqa: S608
    )
    op.drop_table("slot_claims_before")
    op.create_index("ix_slot_claims_block_id", "slot_claims", ["block_id"])
    op.create_index("ix_slot_claims_booking_id", "slot_claims", ["booking_id"])
