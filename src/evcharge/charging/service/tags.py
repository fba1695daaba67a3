"""Whose a tag is, and whether it may charge."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session, raiseload

from evcharge.accounts.models import RfidTag, User
from evcharge.accounts.rules import UserStatus
from evcharge.accounts.rules.cards import fold_uid
from evcharge.bookings.models import Booking
from evcharge.bookings.rules import BookingPayment, BookingStatus
from evcharge.charging.models import ChargingSession
from evcharge.charging.queries import UNDER_WAY
from evcharge.charging.rules import EARLY_START, SessionStatus, StartedBy
from evcharge.stations.models import Evse


@dataclass(frozen=True)
class Holder:
    """Who a tag stands for. `asked`: the session they asked for from their phone."""

    by: StartedBy
    user_id: int | None = None
    booking: Booking | None = None
    asked: ChargingSession | None = None

    @property
    def is_known(self) -> bool:
        return self.by != StartedBy.UNKNOWN

    def at_evse(self, evse_id: int) -> "Holder":
        """Who this is there: a guest has paid for one charging point, and no other."""
        asked = self.asked
        is_elsewhere = asked is not None and asked.evse_id != evse_id
        return NOBODY if asked and asked.guest_id and is_elsewhere else self


NOBODY = Holder(StartedBy.UNKNOWN)


def authorize(session: Session, charger_id: int, tag: str, *, now: datetime) -> bool:
    """Whether this tag may charge somewhere, now or in a moment.

    Neither version of OCPP names an EVSE here, so whose slot it is gets decided when
    charging starts (DESIGN 6).
    """
    holder = holder_of(session, tag, charger_id=charger_id, at=now)
    if holder.is_known:
        return True
    # Whoever charges may stop, also after the time of their booking.
    charging = select(ChargingSession.id).where(
        ChargingSession.tag == fold_uid(tag),
        ChargingSession.evse_id.in_(_evses_of(charger_id)),
        ChargingSession.status == SessionStatus.ACTIVE,
        or_(
            ChargingSession.user_id.is_not(None), ChargingSession.guest_id.is_not(None)
        ),
    )
    return session.scalar(charging.limit(1)) is not None


def holder_of(
    session: Session, tag: str | None, *, charger_id: int, at: datetime
) -> Holder:
    """Return who a tag stands for at a time; `NOBODY` for one that may not charge.

    A card is good anywhere. A reference is good at its own charger only: it is short,
    and no other operator's charger shall find one out by guessing.
    """
    if not tag:
        return NOBODY
    folded = fold_uid(tag)
    return (
        _by_request(session, folded, charger_id)
        or _by_booking(session, folded, charger_id, at=at)
        or _by_card(session, folded)
        or NOBODY
    )


def _evses_of(charger_id: int) -> Select[int]:
    return select(Evse.id).where(Evse.charger_id == charger_id)


def _by_request(session: Session, tag: str, charger_id: int) -> Holder | None:
    asked = session.scalar(
        select(ChargingSession)
        .where(
            ChargingSession.tag == tag,
            ChargingSession.status == SessionStatus.PENDING,
            ChargingSession.evse_id.in_(_evses_of(charger_id)),
        )
        .order_by(ChargingSession.created_at.desc())
        .limit(1)
        .options(raiseload("*"))
    )
    if asked is None:
        return None
    booking = None
    if asked.booking_id is not None:
        booking = session.get(Booking, asked.booking_id, options=[raiseload("*")])
    return Holder(StartedBy.APP, asked.user_id, booking, asked)


def _by_booking(
    session: Session, tag: str, charger_id: int, *, at: datetime
) -> Holder | None:
    booking = session.scalar(
        select(Booking)
        .where(
            Booking.reference == tag,
            Booking.evse_id.in_(_evses_of(charger_id)),
            # One that ended as a no-show may come late, out of an offline queue.
            Booking.status.in_([BookingStatus.ACTIVE, BookingStatus.NO_SHOW]),
            _is_paid_for(at),
        )
        .options(raiseload("*"))
    )
    if booking is None:
        return None
    return Holder(StartedBy.REFERENCE, booking.user_id, booking)


def _is_paid_for(at: datetime) -> ColumnElement[bool]:
    """Whether a booking's driver has paid to charge at this time, or may by now."""
    return and_(
        Booking.payment_status == BookingPayment.PAID,
        Booking.starts_at <= at + EARLY_START,
        Booking.ends_at > at,
    )


def _by_card(session: Session, tag: str) -> Holder | None:
    user_id = session.scalar(
        select(RfidTag.user_id)
        .join(User, User.id == RfidTag.user_id)
        .where(
            RfidTag.uid == tag,
            ~RfidTag.is_blocked,
            User.status == UserStatus.ACTIVE,
        )
    )
    return None if user_id is None else Holder(StartedBy.CARD, user_id)


def booking_here(
    session: Session, user_id: int, evse_id: int, *, at: datetime
) -> Booking | None:
    """Return the booking by which this driver may charge here at this time."""
    return session.scalar(
        select(Booking)
        .where(
            Booking.user_id == user_id,
            Booking.evse_id == evse_id,
            Booking.status == BookingStatus.ACTIVE,
            _is_paid_for(at),
        )
        .order_by(Booking.starts_at)
        .limit(1)
        .options(raiseload("*"))
    )


def has_session_under_way(session: Session, evse_id: int, *, but: UUID | None) -> bool:
    """Whether somebody charges here, or has just asked to."""
    here = select(ChargingSession.id).where(
        ChargingSession.evse_id == evse_id, ChargingSession.status.in_(UNDER_WAY)
    )
    if but is not None:
        here = here.where(ChargingSession.id != but)
    return session.scalar(here.limit(1)) is not None
