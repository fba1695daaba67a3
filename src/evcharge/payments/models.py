from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evcharge.kernel.db import Base, UtcDateTime
from evcharge.payments.rules import (
    REFUND_WORKING_DAYS,
    ItemKind,
    PaymentStatus,
    RefundStatus,
    after_working_days,
)


class Checkout(Base):
    """What is owed, apart from how it is paid. Payments are attempts on it.

    `description` is what the payer reads at the provider; `return_path` is the page
    of ours where they go on afterwards.
    """

    __tablename__ = "checkouts"
    __table_args__ = (
        CheckConstraint("(user_id IS NULL) <> (guest_id IS NULL)", name="payer"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    guest_id: Mapped[UUID | None] = mapped_column(ForeignKey("guests.id"), index=True)
    amount_paise: Mapped[int]
    description: Mapped[str] = mapped_column(String(200))
    return_path: Mapped[str] = mapped_column(String(200))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    items: Mapped[list["CheckoutItem"]] = relationship(order_by="CheckoutItem.item_id")


class CheckoutItem(Base):
    __tablename__ = "checkout_items"
    __table_args__ = (
        Index(None, "item_id", "kind"),
        CheckConstraint("amount_paise > 0", name="amount"),
    )

    checkout_id: Mapped[UUID] = mapped_column(
        ForeignKey("checkouts.id"), primary_key=True
    )
    kind: Mapped[ItemKind] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(primary_key=True)
    amount_paise: Mapped[int]
    # Where it was or will be supplied: the ledger says by site who earned what.
    location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))


class Payment(Base):
    """One attempt to pay a checkout. `provider_ref` is the provider's name for it.

    `refunded_paise` is what we have promised to send back, arrived or not. A PENDING
    payment with a `failure` is one where other money came than we had asked for.
    """

    __tablename__ = "payments"
    __table_args__ = (
        Index(None, "provider", "provider_ref", unique=True),
        Index(None, "status", "created_at"),
        Index(None, "paid_at"),
        CheckConstraint("amount_paise > 0", name="amount"),
        CheckConstraint(
            "refunded_paise BETWEEN 0 AND amount_paise", name="refunded_within"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    checkout_id: Mapped[UUID] = mapped_column(ForeignKey("checkouts.id"), index=True)
    provider: Mapped[str] = mapped_column(String(20))
    provider_ref: Mapped[str] = mapped_column(String(80))
    status: Mapped[PaymentStatus] = mapped_column(default=PaymentStatus.PENDING)
    amount_paise: Mapped[int]
    refunded_paise: Mapped[int] = mapped_column(default=0)
    method: Mapped[str | None] = mapped_column(String(20))
    # What the bank calls it: the UPI reference (RRN), on invoices and complaints.
    bank_reference: Mapped[str | None] = mapped_column(String(40))
    failure: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    checkout: Mapped[Checkout] = relationship()
    refunds: Mapped[list["Refund"]] = relationship(
        back_populates="payment", order_by="Refund.created_at"
    )


class Refund(Base):
    """Money on its way back, for one item of a payment."""

    __tablename__ = "refunds"
    __table_args__ = (
        Index(None, "item_id", "kind"),
        Index(None, "created_at"),
        CheckConstraint("amount_paise > 0", name="amount"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.id"), index=True)
    kind: Mapped[ItemKind]
    item_id: Mapped[UUID]
    amount_paise: Mapped[int]
    reason: Mapped[str] = mapped_column(String(200))
    status: Mapped[RefundStatus] = mapped_column(default=RefundStatus.CREATED)
    provider_ref: Mapped[str | None] = mapped_column(String(80))
    failure: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The provider has taken it on; DONE is when it has left for the bank.
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    bank_reference: Mapped[str | None] = mapped_column(String(40))
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    payment: Mapped[Payment] = relationship(back_populates="refunds")

    @property
    def expected_by(self) -> datetime:
        """When the payer's bank shows it, at the latest."""
        return after_working_days(self.done_at or self.created_at, REFUND_WORKING_DAYS)


class Due(Base):
    """What is still owed for something that was supplied and billed. Its payer cannot
    book while it is old and open. Paid, or waived by the operator."""

    __tablename__ = "dues"
    __table_args__ = (
        Index(None, "user_id", "paid_at"),
        Index(None, "item_id", "item_kind", unique=True),
        CheckConstraint("(user_id IS NULL) <> (guest_id IS NULL)", name="payer"),
        CheckConstraint("amount_paise > 0", name="amount"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    guest_id: Mapped[UUID | None] = mapped_column(ForeignKey("guests.id"))
    # The booking or session it is for.
    item_kind: Mapped[ItemKind]
    item_id: Mapped[UUID]
    reference: Mapped[str] = mapped_column(String(12))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    amount_paise: Mapped[int]
    reason: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    waived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    waived_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    waived_reason: Mapped[str] = mapped_column(String(200), default="")

    @property
    def is_open(self) -> bool:
        return self.paid_at is None and self.waived_at is None


class ProviderEvent(Base):
    """A message a provider sent. Its key is what makes a replay harmless."""

    __tablename__ = "provider_events"

    provider: Mapped[str] = mapped_column(String(20), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)


class SimulatedOrder(Base):
    """What the simulated gateway itself remembers, as a real one would: its truth."""

    __tablename__ = "simulated_orders"

    ref: Mapped[str] = mapped_column(String(80), primary_key=True)
    amount_paise: Mapped[int]
    description: Mapped[str] = mapped_column(String(200))
    return_path: Mapped[str] = mapped_column(String(200))
    status: Mapped[PaymentStatus] = mapped_column(default=PaymentStatus.PENDING)
    method: Mapped[str | None] = mapped_column(String(20))
    failure: Mapped[str | None] = mapped_column(String(200))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SimulatedRefund(Base):
    """What the simulated gateway has sent back. Its key makes a repeat harmless."""

    __tablename__ = "simulated_refunds"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_ref: Mapped[str] = mapped_column(
        ForeignKey("simulated_orders.ref"), index=True
    )
    amount_paise: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
