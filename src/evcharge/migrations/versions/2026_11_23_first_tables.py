"""The first tables: people, stations, bookings and their claims, money, jobs."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_23"
down_revision = None

# SQLite counts by itself only what it calls INTEGER.
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("failure", sa.String(length=2000)),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_finished_at_due_at", "jobs", ["finished_at", "due_at"])
    op.create_table(
        "operators",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("support_phone", sa.String(length=20)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_operators"),
        sa.UniqueConstraint("name", name="uq_operators_name"),
    )
    op.create_table(
        "provider_events",
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("event_id", sa.String(length=80), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "event_id", name="pk_provider_events"),
    )
    op.create_table(
        "schedules",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_schedules"),
    )
    op.create_table(
        "simulated_orders",
        sa.Column("ref", sa.String(length=80), nullable=False),
        sa.Column("amount_paise", sa.Integer(), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("return_path", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("method", sa.String(length=20)),
        sa.Column("failure", sa.String(length=200)),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("ref", name="pk_simulated_orders"),
    )
    op.create_table(
        "simulated_refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_ref", sa.String(length=80), nullable=False),
        sa.Column("amount_paise", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_ref"],
            ["simulated_orders.ref"],
            name="fk_simulated_refunds_order_ref_simulated_orders",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_simulated_refunds"),
    )
    op.create_index(
        "ix_simulated_refunds_order_ref", "simulated_refunds", ["order_ref"]
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=20)),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email_key", name="uq_users_email_key"),
    )
    op.create_index("ix_users_role_status", "users", ["role", "status"])
    op.create_table(
        "checkouts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("amount_paise", sa.Integer(), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("return_path", sa.String(length=200), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_checkouts_user_id_users"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_checkouts"),
    )
    op.create_index("ix_checkouts_user_id", "checkouts", ["user_id"])
    op.create_table(
        "locations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("address", sa.String(length=250), nullable=False),
        sa.Column("city", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("pincode", sa.String(length=6), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("timezone", sa.String(length=40), nullable=False),
        sa.Column("opening_hours", sa.String(length=20), nullable=False),
        sa.Column("amenities", sa.JSON(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("lat BETWEEN -90 AND 90", name=op.f("ck_locations_lat")),
        sa.CheckConstraint("lon BETWEEN -180 AND 180", name=op.f("ck_locations_lon")),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operators.id"], name="fk_locations_operator_id_operators"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_locations"),
    )
    op.create_index("ix_locations_lat_lon", "locations", ["lat", "lon"])
    op.create_index("ix_locations_operator_id", "locations", ["operator_id"])
    op.create_table(
        "logins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_logins_user_id_users"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_logins"),
    )
    op.create_index("ix_logins_user_id", "logins", ["user_id"])
    op.create_table(
        "operator_members",
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"],
            ["operators.id"],
            name="fk_operator_members_operator_id_operators",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_operator_members_user_id_users"
        ),
        sa.PrimaryKeyConstraint("operator_id", "user_id", name="pk_operator_members"),
    )
    op.create_index("ix_operator_members_user_id", "operator_members", ["user_id"])
    op.create_table(
        "chargers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("identity", sa.String(length=48), nullable=False),
        sa.Column("vendor", sa.String(length=50), nullable=False),
        sa.Column("model", sa.String(length=50), nullable=False),
        sa.Column("heartbeat_seconds", sa.Integer(), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name="fk_chargers_location_id_locations"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_chargers"),
        sa.UniqueConstraint("identity", name="uq_chargers_identity"),
    )
    op.create_index("ix_chargers_location_id", "chargers", ["location_id"])
    op.create_table(
        "checkout_items",
        sa.Column("checkout_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("amount_paise", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount_paise > 0", name=op.f("ck_checkout_items_amount")),
        sa.ForeignKeyConstraint(
            ["checkout_id"],
            ["checkouts.id"],
            name="fk_checkout_items_checkout_id_checkouts",
        ),
        sa.PrimaryKeyConstraint(
            "checkout_id", "kind", "item_id", name="pk_checkout_items"
        ),
    )
    op.create_index(
        "ix_checkout_items_item_id_kind", "checkout_items", ["item_id", "kind"]
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("checkout_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("provider_ref", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("amount_paise", sa.Integer(), nullable=False),
        sa.Column("refunded_paise", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=20)),
        sa.Column("failure", sa.String(length=200)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True)),
        sa.Column("checked_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("amount_paise > 0", name=op.f("ck_payments_amount")),
        sa.CheckConstraint(
            "refunded_paise BETWEEN 0 AND amount_paise",
            name=op.f("ck_payments_refunded_within"),
        ),
        sa.ForeignKeyConstraint(
            ["checkout_id"], ["checkouts.id"], name="fk_payments_checkout_id_checkouts"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payments"),
    )
    op.create_index("ix_payments_checkout_id", "payments", ["checkout_id"])
    op.create_index("ix_payments_paid_at", "payments", ["paid_at"])
    op.create_index(
        "ix_payments_provider_provider_ref",
        "payments",
        ["provider", "provider_ref"],
        unique=True,
    )
    op.create_index(
        "ix_payments_status_created_at", "payments", ["status", "created_at"]
    )
    op.create_table(
        "evses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("charger_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("lifecycle", sa.String(length=20), nullable=False),
        sa.Column("booking_price_paise", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("booking_price_paise >= 0", name=op.f("ck_evses_price")),
        sa.ForeignKeyConstraint(
            ["charger_id"], ["chargers.id"], name="fk_evses_charger_id_chargers"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_evses"),
        sa.UniqueConstraint("charger_id", "number", name="uq_evses_charger_id_number"),
    )
    op.create_table(
        "refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("amount_paise", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("provider_ref", sa.String(length=80)),
        sa.Column("failure", sa.String(length=200)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("amount_paise > 0", name=op.f("ck_refunds_amount")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name="fk_refunds_payment_id_payments"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_refunds"),
    )
    op.create_index("ix_refunds_created_at", "refunds", ["created_at"])
    op.create_index("ix_refunds_item_id_kind", "refunds", ["item_id", "kind"])
    op.create_index("ix_refunds_payment_id", "refunds", ["payment_id"])
    op.create_table(
        "bookings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=12), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("evse_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("payment_status", sa.String(length=20), nullable=False),
        sa.Column("amount_paise", sa.Integer(), nullable=False),
        sa.Column("paid_paise", sa.Integer(), nullable=False),
        sa.Column("price_paise_per_hour", sa.Integer(), nullable=False),
        sa.Column("free_until_minutes", sa.Integer(), nullable=False),
        sa.Column("late_percent", sa.Integer(), nullable=False),
        sa.Column("hold_expires_at", sa.DateTime(timezone=True)),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount_paise >= 0", name=op.f("ck_bookings_amount")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_bookings_order")),
        sa.ForeignKeyConstraint(
            ["evse_id"], ["evses.id"], name="fk_bookings_evse_id_evses"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_bookings_user_id_users"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_bookings"),
        sa.UniqueConstraint("reference", name="uq_bookings_reference"),
    )
    op.create_index(
        "ix_bookings_evse_id_starts_at", "bookings", ["evse_id", "starts_at"]
    )
    op.create_index("ix_bookings_status_ends_at", "bookings", ["status", "ends_at"])
    op.create_index(
        "ix_bookings_status_hold_expires_at", "bookings", ["status", "hold_expires_at"]
    )
    op.create_index(
        "ix_bookings_user_id_status_ends_at",
        "bookings",
        ["user_id", "status", "ends_at"],
    )
    op.create_table(
        "connectors",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("evse_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("power_w", sa.Integer(), nullable=False),
        sa.Column("reported_status", sa.String(length=20)),
        sa.Column("reported_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("power_w > 0", name=op.f("ck_connectors_power")),
        sa.ForeignKeyConstraint(
            ["evse_id"], ["evses.id"], name="fk_connectors_evse_id_evses"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_connectors"),
        sa.UniqueConstraint("evse_id", "number", name="uq_connectors_evse_id_number"),
    )
    op.create_table(
        "maintenance_blocks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("evse_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "starts_at < ends_at", name=op.f("ck_maintenance_blocks_order")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name="fk_maintenance_blocks_created_by_users"
        ),
        sa.ForeignKeyConstraint(
            ["evse_id"], ["evses.id"], name="fk_maintenance_blocks_evse_id_evses"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_maintenance_blocks"),
    )
    op.create_index(
        "ix_maintenance_blocks_evse_id_starts_at",
        "maintenance_blocks",
        ["evse_id", "starts_at"],
    )
    op.create_table(
        "booking_events",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=20), nullable=False),
        sa.Column("actor_user_id", sa.Integer()),
        sa.Column("from_status", sa.String(length=20)),
        sa.Column("to_status", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=200)),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_user_id"],
            ["users.id"],
            name="fk_booking_events_actor_user_id_users",
        ),
        sa.ForeignKeyConstraint(
            ["booking_id"],
            ["bookings.id"],
            name="fk_booking_events_booking_id_bookings",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_booking_events"),
    )
    op.create_index("ix_booking_events_booking_id", "booking_events", ["booking_id"])
    op.create_table(
        "slot_claims",
        sa.Column("evse_id", sa.Integer(), nullable=False),
        sa.Column("slot_no", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("booking_id", sa.Uuid()),
        sa.Column("block_id", sa.Uuid()),
        sa.CheckConstraint(
            "(kind = 'booking' AND booking_id IS NOT NULL AND block_id IS NULL)"
            " OR (kind = 'block' AND block_id IS NOT NULL AND booking_id IS NULL)",
            name=op.f("ck_slot_claims_owner"),
        ),
        sa.ForeignKeyConstraint(
            ["block_id"],
            ["maintenance_blocks.id"],
            name="fk_slot_claims_block_id_maintenance_blocks",
        ),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["bookings.id"], name="fk_slot_claims_booking_id_bookings"
        ),
        sa.ForeignKeyConstraint(
            ["evse_id"], ["evses.id"], name="fk_slot_claims_evse_id_evses"
        ),
        sa.PrimaryKeyConstraint("evse_id", "slot_no", name="pk_slot_claims"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_slot_claims_block_id", "slot_claims", ["block_id"])
    op.create_index("ix_slot_claims_booking_id", "slot_claims", ["booking_id"])


def downgrade() -> None:
    op.drop_table("slot_claims")
    op.drop_table("booking_events")
    op.drop_table("maintenance_blocks")
    op.drop_table("connectors")
    op.drop_table("bookings")
    op.drop_table("refunds")
    op.drop_table("evses")
    op.drop_table("payments")
    op.drop_table("checkout_items")
    op.drop_table("chargers")
    op.drop_table("operator_members")
    op.drop_table("logins")
    op.drop_table("locations")
    op.drop_table("checkouts")
    op.drop_table("users")
    op.drop_table("simulated_refunds")
    op.drop_table("simulated_orders")
    op.drop_table("schedules")
    op.drop_table("provider_events")
    op.drop_table("operators")
    op.drop_table("jobs")
