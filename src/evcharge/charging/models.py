from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evcharge.bookings.models import Booking
from evcharge.bookings.rules import ActorKind
from evcharge.charging.rules import (
    EventType,
    SessionEventKind,
    SessionStatus,
    StartedBy,
)
from evcharge.kernel.db import Base, BigId, UtcDateTime
from evcharge.stations.models import Evse

# Registers count all that a charger ever gave out: more than 32 bits hold.
WattHours = Annotated[int, mapped_column(BigInteger)]


class ChargingSession(Base):
    """One charging, from plug-in to bill: what a charger did, whoever allowed it.

    `started_at`, `ended_at`: when we heard of it, unless it was reported late (flag
    `offline`), then the charger's clock. `charger_…`: the charger's clock, always.
    `meter_wh`: the last register; `meter_offset_wh` makes up for registers that were
    reset meanwhile, so that energy is `meter_wh - meter_start_wh + meter_offset_wh`.
    """

    __tablename__ = "charging_sessions"
    __table_args__ = (
        Index(None, "evse_id", "status"),
        Index(None, "evse_id", "ended_at"),
        Index(None, "user_id", "created_at"),
        Index(None, "status", "created_at"),
        Index(None, "booking_id"),
        Index(None, "guest_id"),
        CheckConstraint("energy_wh >= 0", name="energy"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(12), unique=True)
    evse_id: Mapped[int] = mapped_column(ForeignKey("evses.id"))
    connector_number: Mapped[int | None]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    guest_id: Mapped[UUID | None] = mapped_column(ForeignKey("guests.id"))
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey("bookings.id"))
    status: Mapped[SessionStatus]
    started_by: Mapped[StartedBy]
    tag: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    charger_started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    charger_ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    meter_start_wh: Mapped[WattHours | None]
    meter_wh: Mapped[WattHours | None]
    # A register that went down, until the next one tells whether it was reset.
    meter_low_wh: Mapped[WattHours | None]
    meter_offset_wh: Mapped[WattHours] = mapped_column(default=0)
    energy_wh: Mapped[WattHours] = mapped_column(default=0)
    # For every started hour, tax included; 0 where a booking paid for it.
    price_paise_per_hour: Mapped[int] = mapped_column(default=0)
    amount_paise: Mapped[int] = mapped_column(default=0)
    # The tariff it began under, as it was then; None: the price per started hour.
    tariff: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # To be paid before it begins, by a guest; 0: not asked for. `paid_at`: it was.
    prepaid_paise: Mapped[int] = mapped_column(default=0, server_default="0")
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    charging_state: Mapped[str] = mapped_column(String(20), default="")
    stop_reason: Mapped[str] = mapped_column(String(40), default="")
    failure: Mapped[str] = mapped_column(String(200), default="")
    flags: Mapped[list[str]] = mapped_column(JSON, default=list)
    version: Mapped[int] = mapped_column(default=1)

    evse: Mapped[Evse] = relationship()
    booking: Mapped[Booking | None] = relationship()
    events: Mapped[list["SessionEvent"]] = relationship(order_by="SessionEvent.id")
    latest: Mapped["SessionLatest | None"] = relationship()

    @property
    def is_of_nobody(self) -> bool:
        """Whether nobody we know charges: a strange card, or a plug and no word yet."""
        return self.user_id is None and self.guest_id is None


class SessionLatest(Base):
    """The latest of every kind of value, so that live pages never scan the samples."""

    __tablename__ = "session_latest"

    session_id: Mapped[UUID] = mapped_column(
        ForeignKey("charging_sessions.id"), primary_key=True
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    power_w: Mapped[int | None]
    soc_percent: Mapped[int | None]


class MeterSample(Base):
    """One reading of a session, as received. Rows are added, never changed."""

    __tablename__ = "meter_samples"
    __table_args__ = (Index(None, "session_id", "at"),)

    id: Mapped[BigId]
    session_id: Mapped[UUID] = mapped_column(ForeignKey("charging_sessions.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    measured_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    energy_wh: Mapped[WattHours | None]
    power_w: Mapped[int | None]
    soc_percent: Mapped[int | None]


class SessionEvent(Base):
    """What happened to a session. Rows are added, never changed."""

    __tablename__ = "session_events"

    id: Mapped[BigId]
    session_id: Mapped[UUID] = mapped_column(
        ForeignKey("charging_sessions.id"), index=True
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[SessionEventKind]
    actor: Mapped[ActorKind]
    actor_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class OcppTransaction(Base):
    """A transaction as its charger knows it.

    OCPP 1.6 names it by our `number`, which is never used twice; OCPP 2.0.1 by a text
    of its own. A start that comes again while `is_open` is the same start.
    """

    __tablename__ = "ocpp_transactions"
    __table_args__ = (
        UniqueConstraint("charger_id", "transaction_ref"),
        Index(None, "charger_id", "is_open"),
        # SQLite would give the number of the last row that was deleted out again.
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    charger_id: Mapped[int] = mapped_column(ForeignKey("chargers.id"))
    transaction_ref: Mapped[str | None] = mapped_column(String(36))
    session_id: Mapped[UUID] = mapped_column(
        ForeignKey("charging_sessions.id"), index=True
    )
    is_open: Mapped[bool] = mapped_column(default=True)
    is_allowed: Mapped[bool] = mapped_column(default=True)
    # What a repeated StartTransaction of OCPP 1.6 is recognised by.
    connector_id: Mapped[int]
    tag: Mapped[str | None] = mapped_column(String(36))
    meter_start_wh: Mapped[WattHours | None]
    charger_started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OcppTransactionEvent(Base):
    """An event of OCPP 2.0.1 that was dealt with; a repeat changes nothing."""

    __tablename__ = "ocpp_transaction_events"

    number: Mapped[int] = mapped_column(
        ForeignKey("ocpp_transactions.number"), primary_key=True, autoincrement=False
    )
    seq_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    type: Mapped[EventType]
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class OcppReservation(Base):
    """A booking as chargers name it: by a number that is never used twice."""

    __tablename__ = "ocpp_reservations"
    __table_args__ = (Index(None, "ended_at"), {"sqlite_autoincrement": True})

    number: Mapped[int] = mapped_column(primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("bookings.id"), index=True)
    charger_id: Mapped[int] = mapped_column(ForeignKey("chargers.id"))
    evse_id: Mapped[int] = mapped_column(ForeignKey("evses.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UnmatchedStop(Base):
    """A stop of a transaction nobody knows (or of -1), kept until its start comes."""

    __tablename__ = "unmatched_stops"
    __table_args__ = (Index(None, "charger_id", "matched_at"),)

    id: Mapped[BigId]
    charger_id: Mapped[int] = mapped_column(ForeignKey("chargers.id"))
    number: Mapped[int]
    tag: Mapped[str | None] = mapped_column(String(36))
    meter_wh: Mapped[WattHours | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    charger_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(40), default="")
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("charging_sessions.id"))
    matched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
