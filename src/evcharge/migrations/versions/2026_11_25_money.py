"""Money: tariffs, taxes, a ledger, bills, dues, tax documents, guests.

Safe beside the previous release but for guests, who need this one: it reads and writes
none of the new tables, and the columns that are new in its tables may be empty.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_money"
down_revision = "2026_11_24_live_chargers"

# SQLite counts by itself only what it calls INTEGER.
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)

CEILINGS_SOURCE = (
    "Ministry of Power, Guidelines for Installation and Operation of Electric Vehicle"
    " Charging Infrastructure, September 2024"
)
# Paise per kWh, before GST; solar hours are 09:00 to 16:00.
CEILINGS = (
    ("AC", "solar", 300),
    ("AC", "other", 400),
    ("DC", "solar", 1_100),
    ("DC", "other", 1_300),
)

NEW_COLUMNS = {
    "checkout_items": ["location_id"],
    "payments": ["bank_reference"],
    "refunds": ["accepted_at", "bank_reference", "checked_at"],
}


def upgrade() -> None:
    _create_people()
    _create_taxes()
    _create_tariffs()
    _create_ledger()
    _create_billing()
    _create_invoices()
    _create_finance()
    _extend()
    _only_add_to_the_ledger()
    _fill()


def downgrade() -> None:
    _change_the_ledger()
    _shrink()
    for table in (
        "payouts",
        "money_differences",
        "reconciliations",
        "tax_documents",
        "document_series",
        "share_agreements",
        "bills",
        "dues",
        "ledger_entries",
        "price_ceilings",
        "tariff_assignments",
        "tariffs",
        "tax_customers",
        "tax_registrations",
        "guests",
    ):
        op.drop_table(table)


def _create_people() -> None:
    op.create_table(
        "guests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(254), nullable=True),
        sa.Column("phone", sa.String(20), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_guests"),
    )


def _create_taxes() -> None:
    op.create_table(
        "tax_registrations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("gstin", sa.String(15), nullable=False),
        sa.Column("state", sa.String(80), nullable=False),
        sa.Column("legal_name", sa.String(120), nullable=False),
        sa.Column("address", sa.String(250), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["operator_id"],
            ["operators.id"],
            name="fk_tax_registrations_operator_id_operators",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tax_registrations"),
        sa.UniqueConstraint(
            "operator_id", "gstin", name="uq_tax_registrations_operator_id_gstin"
        ),
    )
    op.create_index("ix_tax_registrations_gstin", "tax_registrations", ["gstin"])
    op.create_table(
        "tax_customers",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("legal_name", sa.String(120), nullable=False),
        sa.Column("gstin", sa.String(15), nullable=False),
        sa.Column("address", sa.String(250), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_tax_customers_user_id_users"
        ),
        sa.PrimaryKeyConstraint("user_id", name="pk_tax_customers"),
    )


def _create_tariffs() -> None:
    op.create_table(
        "tariffs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operators.id"], name="fk_tariffs_operator_id_operators"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tariffs"),
    )
    op.create_index("ix_tariffs_operator_id", "tariffs", ["operator_id"])
    op.create_table(
        "tariff_assignments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tariff_id", sa.Integer(), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=True),
        sa.Column("evse_id", sa.Integer(), nullable=True),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("valid_until", INSTANT, nullable=True),
        sa.CheckConstraint("location_id IS NULL OR evse_id IS NULL", name="scope"),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_from < valid_until",
            name="validity",
        ),
        sa.ForeignKeyConstraint(
            ["evse_id"], ["evses.id"], name="fk_tariff_assignments_evse_id_evses"
        ),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["locations.id"],
            name="fk_tariff_assignments_location_id_locations",
        ),
        sa.ForeignKeyConstraint(
            ["operator_id"],
            ["operators.id"],
            name="fk_tariff_assignments_operator_id_operators",
        ),
        sa.ForeignKeyConstraint(
            ["tariff_id"],
            ["tariffs.id"],
            name="fk_tariff_assignments_tariff_id_tariffs",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tariff_assignments"),
    )
    op.create_index("ix_tariff_assignments_evse_id", "tariff_assignments", ["evse_id"])
    op.create_index(
        "ix_tariff_assignments_location_id", "tariff_assignments", ["location_id"]
    )
    op.create_index(
        "ix_tariff_assignments_operator_id", "tariff_assignments", ["operator_id"]
    )
    op.create_index(
        "ix_tariff_assignments_tariff_id", "tariff_assignments", ["tariff_id"]
    )
    op.create_table(
        "price_ceilings",
        sa.Column("current", sa.String(2), nullable=False),
        sa.Column("period", sa.String(10), nullable=False),
        sa.Column("paise_per_kwh", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("current", "period", name="pk_price_ceilings"),
    )


def _create_ledger() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("debit", sa.String(20), nullable=False),
        sa.Column("credit", sa.String(20), nullable=False),
        sa.Column("amount_paise", sa.BigInteger(), nullable=False),
        sa.Column("item_kind", sa.String(20), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=True),
        sa.Column("location_id", sa.Integer(), nullable=True),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.CheckConstraint("amount_paise > 0", name="amount"),
        sa.CheckConstraint("debit <> credit", name="sides"),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["locations.id"],
            name="fk_ledger_entries_location_id_locations",
        ),
        sa.ForeignKeyConstraint(
            ["operator_id"],
            ["operators.id"],
            name="fk_ledger_entries_operator_id_operators",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_entries"),
        sa.UniqueConstraint("key", name="uq_ledger_entries_key"),
    )
    op.create_index(
        "ix_ledger_entries_item_id_item_kind",
        "ledger_entries",
        ["item_id", "item_kind"],
    )
    op.create_index("ix_ledger_entries_kind_at", "ledger_entries", ["kind", "at"])
    op.create_index(
        "ix_ledger_entries_location_id_kind_at",
        "ledger_entries",
        ["location_id", "kind", "at"],
    )


def _create_billing() -> None:
    op.create_table(
        "dues",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("guest_id", sa.Uuid(), nullable=True),
        sa.Column("item_kind", sa.String(20), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(12), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("amount_paise", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("paid_at", INSTANT, nullable=True),
        sa.Column("waived_at", INSTANT, nullable=True),
        sa.Column("waived_by", sa.Integer(), nullable=True),
        sa.Column("waived_reason", sa.String(200), nullable=False),
        sa.CheckConstraint("(user_id IS NULL) <> (guest_id IS NULL)", name="payer"),
        sa.CheckConstraint("amount_paise > 0", name="amount"),
        sa.ForeignKeyConstraint(
            ["guest_id"], ["guests.id"], name="fk_dues_guest_id_guests"
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name="fk_dues_location_id_locations"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_dues_user_id_users"
        ),
        sa.ForeignKeyConstraint(
            ["waived_by"], ["users.id"], name="fk_dues_waived_by_users"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dues"),
    )
    op.create_index(
        "ix_dues_item_id_item_kind", "dues", ["item_id", "item_kind"], unique=True
    )
    op.create_index("ix_dues_user_id_paid_at", "dues", ["user_id", "paid_at"])
    op.create_table(
        "bills",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(12), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("guest_id", sa.Uuid(), nullable=True),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("evse_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("includes_tax", sa.Boolean(), nullable=False),
        sa.Column("tax_percent", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=True),
        sa.Column("place_of_supply", sa.String(80), nullable=False),
        sa.Column("net_paise", sa.Integer(), nullable=False),
        sa.Column("cgst_paise", sa.Integer(), nullable=False),
        sa.Column("sgst_paise", sa.Integer(), nullable=False),
        sa.Column("igst_paise", sa.Integer(), nullable=False),
        sa.Column("rounding_paise", sa.Integer(), nullable=False),
        sa.Column("total_paise", sa.Integer(), nullable=False),
        sa.Column("fee_paise", sa.Integer(), nullable=False),
        sa.Column("host_paise", sa.Integer(), nullable=False),
        sa.Column("paid_paise", sa.Integer(), nullable=False),
        sa.Column("due_paise", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "net_paise + cgst_paise + sgst_paise + igst_paise + rounding_paise"
            " = total_paise",
            name="sum",
        ),
        sa.CheckConstraint("total_paise >= 0", name="total"),
        sa.ForeignKeyConstraint(
            ["evse_id"], ["evses.id"], name="fk_bills_evse_id_evses"
        ),
        sa.ForeignKeyConstraint(
            ["guest_id"], ["guests.id"], name="fk_bills_guest_id_guests"
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name="fk_bills_location_id_locations"
        ),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operators.id"], name="fk_bills_operator_id_operators"
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["tax_registrations.id"],
            name="fk_bills_registration_id_tax_registrations",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_bills_user_id_users"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_bills"),
    )
    op.create_index("ix_bills_item_id_kind", "bills", ["item_id", "kind"], unique=True)
    op.create_index(
        "ix_bills_location_id_created_at", "bills", ["location_id", "created_at"]
    )
    op.create_index("ix_bills_user_id_created_at", "bills", ["user_id", "created_at"])
    op.create_table(
        "share_agreements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=True),
        sa.Column("party", sa.String(20), nullable=False),
        sa.Column("payee", sa.String(120), nullable=False),
        sa.Column("basis", sa.String(20), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("value >= 0", name="value"),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["locations.id"],
            name="fk_share_agreements_location_id_locations",
        ),
        sa.ForeignKeyConstraint(
            ["operator_id"],
            ["operators.id"],
            name="fk_share_agreements_operator_id_operators",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_share_agreements"),
    )
    op.create_index(
        "ix_share_agreements_operator_id_party",
        "share_agreements",
        ["operator_id", "party"],
    )


def _create_invoices() -> None:
    op.create_table(
        "document_series",
        sa.Column("supplier", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("financial_year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "supplier", "kind", "financial_year", name="pk_document_series"
        ),
    )
    op.create_table(
        "tax_documents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("supplier", sa.String(20), nullable=False),
        sa.Column("financial_year", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("guest_id", sa.Uuid(), nullable=True),
        sa.Column("item_kind", sa.String(20), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=True),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("original_id", sa.Uuid(), nullable=True),
        sa.Column("net_paise", sa.Integer(), nullable=False),
        sa.Column("cgst_paise", sa.Integer(), nullable=False),
        sa.Column("sgst_paise", sa.Integer(), nullable=False),
        sa.Column("igst_paise", sa.Integer(), nullable=False),
        sa.Column("rounding_paise", sa.Integer(), nullable=False),
        sa.Column("total_paise", sa.Integer(), nullable=False),
        sa.Column("supplier_details", sa.JSON(), nullable=False),
        sa.Column("customer_details", sa.JSON(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("mailed_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["bill_id"], ["bills.id"], name="fk_tax_documents_bill_id_bills"
        ),
        sa.ForeignKeyConstraint(
            ["guest_id"], ["guests.id"], name="fk_tax_documents_guest_id_guests"
        ),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["locations.id"],
            name="fk_tax_documents_location_id_locations",
        ),
        sa.ForeignKeyConstraint(
            ["operator_id"],
            ["operators.id"],
            name="fk_tax_documents_operator_id_operators",
        ),
        sa.ForeignKeyConstraint(
            ["original_id"],
            ["tax_documents.id"],
            name="fk_tax_documents_original_id_tax_documents",
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["refunds.id"], name="fk_tax_documents_refund_id_refunds"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_tax_documents_user_id_users"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tax_documents"),
        sa.UniqueConstraint("event", name="uq_tax_documents_event"),
        sa.UniqueConstraint(
            "supplier",
            "kind",
            "financial_year",
            "sequence",
            name="uq_tax_documents_supplier_kind_financial_year_sequence",
        ),
    )
    op.create_index("ix_tax_documents_bill_id", "tax_documents", ["bill_id"])
    op.create_index(
        "ix_tax_documents_item_id_item_kind", "tax_documents", ["item_id", "item_kind"]
    )
    op.create_index(
        "ix_tax_documents_operator_id_issued_at",
        "tax_documents",
        ["operator_id", "issued_at"],
    )
    op.create_index(
        "ix_tax_documents_user_id_issued_at", "tax_documents", ["user_id", "issued_at"]
    )


def _create_finance() -> None:
    op.create_table(
        "reconciliations",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("checked_at", INSTANT, nullable=False),
        sa.Column("provider_in_paise", sa.BigInteger(), nullable=False),
        sa.Column("provider_out_paise", sa.BigInteger(), nullable=False),
        sa.Column("our_in_paise", sa.BigInteger(), nullable=False),
        sa.Column("our_out_paise", sa.BigInteger(), nullable=False),
        sa.Column("ledger_in_paise", sa.BigInteger(), nullable=False),
        sa.Column("ledger_out_paise", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "provider", name="pk_reconciliations"),
    )
    op.create_table(
        "money_differences",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(120), nullable=False),
        sa.Column("ours_paise", sa.BigInteger(), nullable=True),
        sa.Column("theirs_paise", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.String(300), nullable=False),
        sa.Column("found_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("resolved_at", INSTANT, nullable=True),
        sa.Column("resolved_by", sa.Integer(), nullable=True),
        sa.Column("resolution", sa.String(300), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["resolved_by"], ["users.id"], name="fk_money_differences_resolved_by_users"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_money_differences"),
        sa.UniqueConstraint(
            "kind", "subject", name="uq_money_differences_kind_subject"
        ),
    )
    op.create_index(
        "ix_money_differences_resolved_at_found_at",
        "money_differences",
        ["resolved_at", "found_at"],
    )
    op.create_table(
        "payouts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=True),
        sa.Column("amount_paise", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(60), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount_paise > 0", name="amount"),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name="fk_payouts_created_by_users"
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name="fk_payouts_location_id_locations"
        ),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operators.id"], name="fk_payouts_operator_id_operators"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payouts"),
    )
    op.create_index(
        "ix_payouts_operator_id_created_at", "payouts", ["operator_id", "created_at"]
    )


def _extend() -> None:
    with op.batch_alter_table("bookings") as batch_op:
        batch_op.add_column(
            sa.Column("tariff", sa.JSON(none_as_null=True), nullable=True)
        )

    with op.batch_alter_table("charging_sessions") as batch_op:
        batch_op.add_column(sa.Column("guest_id", sa.Uuid(), nullable=True))
        batch_op.add_column(
            sa.Column("tariff", sa.JSON(none_as_null=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("prepaid_paise", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(sa.Column("paid_at", INSTANT, nullable=True))
        batch_op.create_index("ix_charging_sessions_guest_id", ["guest_id"])
        batch_op.create_foreign_key(
            "fk_charging_sessions_guest_id_guests", "guests", ["guest_id"], ["id"]
        )

    with op.batch_alter_table("checkout_items") as batch_op:
        batch_op.add_column(sa.Column("location_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            "fk_checkout_items_location_id_locations",
            "locations",
            ["location_id"],
            ["id"],
        )

    with op.batch_alter_table("checkouts") as batch_op:
        batch_op.add_column(sa.Column("guest_id", sa.Uuid(), nullable=True))
        batch_op.alter_column("user_id", existing_type=sa.INTEGER(), nullable=True)
        batch_op.create_index("ix_checkouts_guest_id", ["guest_id"])
        batch_op.create_foreign_key(
            "fk_checkouts_guest_id_guests", "guests", ["guest_id"], ["id"]
        )

    with op.batch_alter_table("checkouts") as batch_op:
        batch_op.create_check_constraint(
            op.f("ck_checkouts_payer"), "(user_id IS NULL) <> (guest_id IS NULL)"
        )

    with op.batch_alter_table("payments") as batch_op:
        batch_op.add_column(sa.Column("bank_reference", sa.String(40), nullable=True))

    with op.batch_alter_table("refunds") as batch_op:
        batch_op.add_column(sa.Column("accepted_at", INSTANT, nullable=True))
        batch_op.add_column(sa.Column("bank_reference", sa.String(40), nullable=True))
        batch_op.add_column(sa.Column("checked_at", INSTANT, nullable=True))


def _shrink() -> None:
    # What guests did cannot be said without them.
    for table in ("checkout_items", "payments", "refunds"):
        _drop_columns(table)
    with op.batch_alter_table("checkouts") as batch_op:
        batch_op.drop_constraint(op.f("ck_checkouts_payer"), type_="check")
        batch_op.drop_constraint("fk_checkouts_guest_id_guests", type_="foreignkey")
        batch_op.drop_index("ix_checkouts_guest_id")
        batch_op.alter_column("user_id", existing_type=sa.Integer(), nullable=False)
        batch_op.drop_column("guest_id")
    with op.batch_alter_table("charging_sessions") as batch_op:
        batch_op.drop_constraint(
            "fk_charging_sessions_guest_id_guests", type_="foreignkey"
        )
        batch_op.drop_index("ix_charging_sessions_guest_id")
        for column in ("guest_id", "tariff", "prepaid_paise", "paid_at"):
            batch_op.drop_column(column)
    op.drop_column("bookings", "tariff")


def _drop_columns(table: str) -> None:
    with op.batch_alter_table(table) as batch_op:
        if table == "checkout_items":
            batch_op.drop_constraint(
                "fk_checkout_items_location_id_locations", type_="foreignkey"
            )
        for column in NEW_COLUMNS[table]:
            batch_op.drop_column(column)


# ── the ledger is only added to ──────────────────────────────────────────────────


def _only_add_to_the_ledger() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER ledger_entries_no_{verb.lower()}"
                f" BEFORE {verb} ON ledger_entries"
                " BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the ledger is only added to'; END $$"
    )
    op.execute(
        "CREATE TRIGGER ledger_entries_no_change BEFORE UPDATE OR DELETE"
        " ON ledger_entries FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change()"
    )


def _change_the_ledger() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(f"DROP TRIGGER ledger_entries_no_{verb}")
        return
    op.execute("DROP TRIGGER ledger_entries_no_change ON ledger_entries")
    op.execute("DROP FUNCTION refuse_ledger_change()")


# ── what is in it from the start ─────────────────────────────────────────────────


def _fill() -> None:
    now = datetime.now(UTC)
    ceilings = sa.table(
        "price_ceilings",
        sa.column("current", sa.String),
        sa.column("period", sa.String),
        sa.column("paise_per_kwh", sa.Integer),
        sa.column("source", sa.String),
        sa.column("updated_at", INSTANT),
    )
    op.bulk_insert(
        ceilings,
        [
            {
                "current": current,
                "period": period,
                "paise_per_kwh": paise,
                "source": CEILINGS_SOURCE,
                "updated_at": now,
            }
            for current, period, paise in CEILINGS
        ],
    )
    jobs = sa.table(
        "jobs",
        sa.column("name", sa.String),
        sa.column("details", sa.JSON),
        sa.column("created_at", INSTANT),
        sa.column("due_at", INSTANT),
        sa.column("attempts", sa.Integer),
    )
    # Money that came and went before there was a ledger is written into it.
    op.bulk_insert(
        jobs,
        [
            {
                "name": "finance.backfill",
                "details": {"until": now.isoformat()},
                "created_at": now,
                "due_at": now,
                "attempts": 0,
            }
        ],
    )
