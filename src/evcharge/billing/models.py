from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from evcharge.billing.rules import Basis, Party
from evcharge.kernel.db import Base, UtcDateTime
from evcharge.payments.rules import ItemKind


class Bill(Base):
    """What a booking or session finally came to; OCPI calls it a charge detail record.

    Written once, in the transaction that books it in the ledger, and never changed;
    what goes back later is a credit note of its own. All amounts are paise:
    `net + cgst + sgst + igst + rounding = total`.
    """

    __tablename__ = "bills"
    __table_args__ = (
        Index(None, "item_id", "kind", unique=True),
        Index(None, "user_id", "created_at"),
        Index(None, "location_id", "created_at"),
        CheckConstraint(
            "net_paise + cgst_paise + sgst_paise + igst_paise + rounding_paise"
            " = total_paise",
            name="sum",
        ),
        CheckConstraint("total_paise >= 0", name="total"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[ItemKind]
    item_id: Mapped[UUID]
    reference: Mapped[str] = mapped_column(String(12))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    guest_id: Mapped[UUID | None] = mapped_column(ForeignKey("guests.id"))
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    evse_id: Mapped[int] = mapped_column(ForeignKey("evses.id"))
    title: Mapped[str] = mapped_column(String(200))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    energy_wh: Mapped[int] = mapped_column(BigInteger)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    includes_tax: Mapped[bool]
    tax_percent: Mapped[int]
    registration_id: Mapped[int | None] = mapped_column(
        ForeignKey("tax_registrations.id")
    )
    place_of_supply: Mapped[str] = mapped_column(String(80))
    net_paise: Mapped[int]
    cgst_paise: Mapped[int]
    sgst_paise: Mapped[int]
    igst_paise: Mapped[int]
    rounding_paise: Mapped[int]
    total_paise: Mapped[int]
    fee_paise: Mapped[int]
    host_paise: Mapped[int]
    # What had been paid for it before, and what its driver owed when it was written.
    paid_paise: Mapped[int]
    due_paise: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ShareAgreement(Base):
    """What the platform, or the host of a location, gets of what an operator earns.

    The nearest wins: of the location before that of the operator; among equals the one
    that began last. Of the price without tax, or for each kWh.
    """

    __tablename__ = "share_agreements"
    __table_args__ = (
        Index(None, "operator_id", "party"),
        CheckConstraint("value >= 0", name="value"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
    party: Mapped[Party]
    payee: Mapped[str] = mapped_column(String(120), default="")
    basis: Mapped[Basis]
    value: Mapped[int]
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
