"""What is taken of an EVSE's time, and which holds have run out."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    ScalarSelect,
    SQLColumnExpression,
    and_,
    bindparam,
    or_,
    select,
)
from sqlalchemy.orm import Session, raiseload

from evcharge.bookings.models import Booking, SlotClaim
from evcharge.bookings.rules import (
    BookingPayment,
    BookingStatus,
    Slot,
    slot_no,
)
from evcharge.stations.rules import ClaimedBy

# A value that a statement gets when it is run.
Later = BindParameter[Any]


@dataclass(frozen=True)
class Claimed:
    """A quarter hour that cannot be had, and whose it is."""

    evse_id: int
    slot_no: int
    kind: ClaimedBy
    user_id: int | None


def claims_between(
    session: Session, evse_ids: Collection[int], first: int, end: int, *, now: datetime
) -> list[Claimed]:
    """Return what is taken of the quarter hours `[first, end)`, in order.

    A hold whose time is up is not taken: whoever wants its slot gets it. Pages
    and booking ask this same question, so nothing is offered and then refused.
    """
    rows = session.execute(
        _CLAIMS, {"evse_ids": list(evse_ids), "first": first, "end": end, "now": now}
    )
    return [Claimed(*row) for row in rows]


def is_taken(
    evse_id: SQLColumnExpression[int], slot: Slot, *, now: datetime
) -> ColumnElement[bool]:
    """The same answer inside a WHERE: is any quarter hour of the slot taken?"""
    quarters = slot.quarters
    return (
        select(SlotClaim.evse_id)
        .outerjoin(Booking, Booking.id == SlotClaim.booking_id)
        .where(
            SlotClaim.evse_id == evse_id,
            _is_claim_within(quarters.start, quarters.stop, now),
        )
        .exists()
    )


def claimed_by(
    evse_id: SQLColumnExpression[int], *, now: datetime
) -> ScalarSelect[ClaimedBy]:
    """Who owns this quarter hour of an EVSE, inside a statement; NULL for nobody."""
    quarter = slot_no(now)
    return (
        select(SlotClaim.kind)
        .outerjoin(Booking, Booking.id == SlotClaim.booking_id)
        .where(
            SlotClaim.evse_id == evse_id, _is_claim_within(quarter, quarter + 1, now)
        )
        .scalar_subquery()
    )


def _is_claim_within(
    first: int | Later, end: int | Later, now: datetime | Later
) -> ColumnElement[bool]:
    return and_(
        SlotClaim.slot_no >= first,
        SlotClaim.slot_no < end,
        or_(Booking.hold_expires_at.is_(None), Booking.hold_expires_at > now),
    )


# What every page and every booking asks is built once, here and below: building a
# statement takes longer than the database does to answer it.
_CLAIMS = (
    select(SlotClaim.evse_id, SlotClaim.slot_no, SlotClaim.kind, Booking.user_id)
    .outerjoin(Booking, Booking.id == SlotClaim.booking_id)
    .where(
        SlotClaim.evse_id.in_(bindparam("evse_ids", expanding=True)),
        _is_claim_within(bindparam("first"), bindparam("end"), bindparam("now")),
    )
    .order_by(SlotClaim.evse_id, SlotClaim.slot_no)
)


def claimed_now(
    session: Session, evse_ids: Collection[int], *, now: datetime
) -> dict[int, ClaimedBy]:
    """Return who owns this quarter hour of each EVSE that is taken."""
    quarter = slot_no(now)
    claims = claims_between(session, evse_ids, quarter, quarter + 1, now=now)
    return {claim.evse_id: claim.kind for claim in claims}


def expired_holds(
    session: Session, wanted: Iterable[tuple[int, Slot]], *, now: datetime
) -> Sequence[Booking]:
    """Return the holds in the way of these slots whose time is up, by id."""
    found: dict[UUID, Booking] = {}
    for evse_id, slot in wanted:
        first, end = slot.quarters.start, slot.quarters.stop
        place = {"evse_id": evse_id, "first": first, "end": end, "now": now}
        found |= {hold.id: hold for hold in session.scalars(_EXPIRED_IN, place)}
    return [found[each] for each in sorted(found)]


def is_expired_hold(now: datetime | Later) -> ColumnElement[bool]:
    return and_(
        Booking.status == BookingStatus.ACTIVE,
        Booking.payment_status == BookingPayment.PENDING,
        Booking.hold_expires_at <= now,
    )


_EXPIRED_IN = (
    select(Booking)
    .where(
        Booking.id.in_(
            select(SlotClaim.booking_id).where(
                SlotClaim.evse_id == bindparam("evse_id"),
                SlotClaim.slot_no >= bindparam("first"),
                SlotClaim.slot_no < bindparam("end"),
            )
        ),
        is_expired_hold(bindparam("now")),
    )
    .options(raiseload("*"))
)
