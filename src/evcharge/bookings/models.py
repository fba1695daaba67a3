from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evcharge.bookings.pricing import Pricing
from evcharge.bookings.rules import (
    ActorKind,
    BookingEventKind,
    BookingPayment,
    BookingStatus,
    Slot,
    Terms,
    status_at,
)
from evcharge.kernel.db import Base, BigId, UtcDateTime
from evcharge.stations.models import Evse
from evcharge.stations.rules import ClaimedBy
from evcharge.tariffs.rules.agreed import Agreed


class Booking(Base):
    """While ACTIVE it owns the claims of its slot, and no others.

    A hold is ACTIVE and PENDING with a deadline. `sequence` counts what a
    calendar must hear about; `version` counts every change.
    """

    __tablename__ = "bookings"
    __table_args__ = (
        Index(None, "user_id", "status", "ends_at"),
        Index(None, "evse_id", "starts_at"),
        Index(None, "status", "hold_expires_at"),
        Index(None, "status", "ends_at"),
        CheckConstraint("starts_at < ends_at", name="order"),
        CheckConstraint("amount_paise >= 0", name="amount"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(12), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    evse_id: Mapped[int] = mapped_column(ForeignKey("evses.id"))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[BookingStatus] = mapped_column(default=BookingStatus.ACTIVE)
    payment_status: Mapped[BookingPayment] = mapped_column(
        default=BookingPayment.PENDING
    )
    amount_paise: Mapped[int]
    paid_paise: Mapped[int] = mapped_column(default=0)
    price_paise_per_hour: Mapped[int]
    # The tariff agreed to, as it was (`tariffs.rules.Agreed`); None: the hour price.
    tariff: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    free_until_minutes: Mapped[int]
    late_percent: Mapped[int]
    hold_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    request_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # When the first charging under it began; without one it ends as a no-show.
    session_started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sequence: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)

    evse: Mapped[Evse] = relationship()
    events: Mapped[list["BookingEvent"]] = relationship(order_by="BookingEvent.id")

    @property
    def slot(self) -> Slot:
        return Slot(self.starts_at, self.ends_at)

    @property
    def terms(self) -> Terms:
        return Terms(
            self.price_paise_per_hour, self.free_until_minutes, self.late_percent
        )

    def has_lapsed(self, *, now: datetime) -> bool:
        """A hold whose time is up, whether or not anybody has closed it yet."""
        return self.status_at(now) != self.status

    def status_at(self, now: datetime) -> BookingStatus:
        return status_at(self.status, self.hold_expires_at, now=now)

    def is_late(self, *, now: datetime) -> bool:
        """Paid, and too near its start to be cancelled for nothing."""
        return self.paid_paise > 0 and self.terms.is_late(
            starts_at=self.starts_at, now=now
        )

    @property
    def due_paise(self) -> int:
        return max(0, self.amount_paise - self.paid_paise)

    @property
    def agreed(self) -> Agreed | None:
        """The tariff it was made under, as it was then."""
        return Agreed.from_json(self.tariff) if self.tariff else None

    @property
    def pricing(self) -> Pricing:
        """What another slot at this EVSE would cost: at the price that was agreed."""
        return Pricing(self.price_paise_per_hour, self.agreed)


class SlotClaim(Base):
    """A quarter hour of an EVSE that is spoken for. Its key is the whole lock."""

    __tablename__ = "slot_claims"
    __table_args__ = (
        CheckConstraint(
            "(kind = 'booking' AND booking_id IS NOT NULL"
            " AND block_id IS NULL AND session_id IS NULL)"
            " OR (kind = 'block' AND block_id IS NOT NULL"
            " AND booking_id IS NULL AND session_id IS NULL)"
            " OR (kind = 'session' AND session_id IS NOT NULL"
            " AND booking_id IS NULL AND block_id IS NULL)",
            name="owner",
        ),
        {"sqlite_with_rowid": False},
    )

    evse_id: Mapped[int] = mapped_column(ForeignKey("evses.id"), primary_key=True)
    slot_no: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ClaimedBy]
    booking_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("bookings.id"), index=True
    )
    block_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("maintenance_blocks.id"), index=True
    )
    # By name: sessions are above bookings and know them, not the other way round.
    session_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("charging_sessions.id"), index=True
    )


class MaintenanceBlock(Base):
    """A stretch in which the operator keeps an EVSE out of use, until it is lifted."""

    __tablename__ = "maintenance_blocks"
    __table_args__ = (
        Index(None, "evse_id", "starts_at"),
        CheckConstraint("starts_at < ends_at", name="order"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    evse_id: Mapped[int] = mapped_column(ForeignKey("evses.id"))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(200))
    created_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def slot(self) -> Slot:
        return Slot(self.starts_at, self.ends_at)


class BookingEvent(Base):
    """What happened to a booking. Rows are added, never changed."""

    __tablename__ = "booking_events"

    id: Mapped[BigId]
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("bookings.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[BookingEventKind]
    actor: Mapped[ActorKind]
    actor_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    from_status: Mapped[BookingStatus | None]
    to_status: Mapped[BookingStatus]
    reason: Mapped[str | None] = mapped_column(String(200))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
