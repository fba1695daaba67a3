from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from evcharge.control.rules import (
    CommandKind,
    CommandState,
    Direction,
    KeyHash,
    NoticeKind,
    Protocol,
)
from evcharge.kernel.db import Base, BigId, UtcDateTime


class ChargerKey(Base):
    """The key a charger connects with, hashed. Without one it cannot connect."""

    __tablename__ = "charger_keys"

    charger_id: Mapped[int] = mapped_column(
        ForeignKey("chargers.id"), primary_key=True, autoincrement=False
    )
    salt: Mapped[str] = mapped_column(String(32))
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    @property
    def hash(self) -> KeyHash:
        return KeyHash(self.salt, self.digest)


class ChargerConnection(Base):
    """The latest connection of a charger. `generation` counts them all.

    Whoever holds a socket of an older generation holds a dead one. `gateway` names
    the process; a connection without `closed_at` may have died with it.
    """

    __tablename__ = "charger_connections"
    __table_args__ = (Index(None, "gateway"),)

    charger_id: Mapped[int] = mapped_column(
        ForeignKey("chargers.id"), primary_key=True, autoincrement=False
    )
    generation: Mapped[int]
    gateway: Mapped[str] = mapped_column(String(36))
    protocol: Mapped[Protocol]
    address: Mapped[str] = mapped_column(String(64), default="")
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    booted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    serial_number: Mapped[str] = mapped_column(String(50), default="")
    firmware_version: Mapped[str] = mapped_column(String(50), default="")


class ParkedCharger(Base):
    """A charger nobody knows that knocked, kept until an operator takes it or not."""

    __tablename__ = "parked_chargers"

    identity: Mapped[str] = mapped_column(String(48), primary_key=True)
    protocol: Mapped[Protocol]
    address: Mapped[str] = mapped_column(String(64), default="")
    salt: Mapped[str] = mapped_column(String(32))
    digest: Mapped[str] = mapped_column(String(64))
    vendor: Mapped[str] = mapped_column(String(50), default="")
    model: Mapped[str] = mapped_column(String(50), default="")
    serial_number: Mapped[str] = mapped_column(String(50), default="")
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ChargerCommand(Base):
    """Something a charger is asked to do. Sent once at most, whatever happens."""

    __tablename__ = "charger_commands"
    __table_args__ = (
        Index(None, "charger_id", "created_at"),
        Index(None, "state", "expires_at"),
        Index(None, "session_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    charger_id: Mapped[int] = mapped_column(ForeignKey("chargers.id"))
    kind: Mapped[CommandKind]
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    state: Mapped[CommandState] = mapped_column(default=CommandState.QUEUED)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The charger's word, such as "Accepted" or "RebootRequired", or why there is none.
    answer: Mapped[str] = mapped_column(String(200), default="")
    answer_details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    # Whom it serves; the charging feature knows what these are.
    session_id: Mapped[UUID | None]
    booking_id: Mapped[UUID | None]


class ChargerMessage(Base):
    """A frame as it went over the wire, kept for EVCHARGE_CHARGER_LOG_DAYS."""

    __tablename__ = "charger_messages"
    __table_args__ = (Index(None, "charger_id", "id"), Index(None, "at"))

    id: Mapped[BigId]
    charger_id: Mapped[int] = mapped_column(ForeignKey("chargers.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    direction: Mapped[Direction]
    action: Mapped[str] = mapped_column(String(50))
    body: Mapped[str] = mapped_column(Text)


class ChargerVariable(Base):
    """A setting of a charger as it last reported it: a key of OCPP 1.6, or
    `Component.Variable` of OCPP 2.0.1.
    """

    __tablename__ = "charger_variables"

    charger_id: Mapped[int] = mapped_column(
        ForeignKey("chargers.id"), primary_key=True, autoincrement=False
    )
    name: Mapped[str] = mapped_column(String(150), primary_key=True)
    value: Mapped[str | None] = mapped_column(Text)
    is_readonly: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ChargerNotice(Base):
    """A notification of a charger that nothing acts on, kept for operators."""

    __tablename__ = "charger_notices"
    __table_args__ = (Index(None, "charger_id", "id"), Index(None, "at"))

    id: Mapped[BigId]
    charger_id: Mapped[int] = mapped_column(ForeignKey("chargers.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[NoticeKind]
    title: Mapped[str] = mapped_column(String(120))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
