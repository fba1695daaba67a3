"""Questions about bookings. Nothing here changes anything."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    ScalarSelect,
    SQLColumnExpression,
    and_,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session, joinedload, raiseload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from evcharge.bookings.models import Booking, MaintenanceBlock, SlotClaim
from evcharge.bookings.rules import (
    BookingNotFound,
    BookingPayment,
    BookingStatus,
    Slot,
    slot_no,
)
from evcharge.stations.models import Charger, Evse, Location
from evcharge.stations.rules import ClaimedBy, EvseNotFound, Lifecycle
from evcharge.stations.rules.opening import OpeningHours

# A value that a statement gets when it is run.
Later = BindParameter[Any]


@dataclass(frozen=True)
class Claimed:
    """A quarter hour that cannot be had, and whose it is."""

    evse_id: int
    slot_no: int
    kind: ClaimedBy
    user_id: int | None


@dataclass(frozen=True)
class BookableEvse:
    """What booking an EVSE depends on, as of now."""

    evse_id: int
    location_id: int
    price_paise_per_hour: int
    is_open: bool
    hours: OpeningHours


# ── what is taken ────────────────────────────────────────────────────────────────


def claims_between(
    session: Session, evse_ids: Collection[int], first: int, end: int, *, now: datetime
) -> list[Claimed]:
    """Return what is taken of the quarter hours `[first, end)`, in order.

    A hold whose time is up is not taken: whoever wants its slot gets it. Pages
    and booking ask this same question, so nothing is offered and then refused.
    """
    rows = session.execute(
        _CLAIMS, {"evse_ids": evse_ids, "first": first, "end": end, "now": now}
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


def overdue_holds(session: Session, *, now: datetime, limit: int) -> Sequence[Booking]:
    """Return holds whose time is up, by id."""
    return session.scalars(
        select(Booking)
        .where(is_expired_hold(now))
        .order_by(Booking.id)
        .limit(limit)
        .options(raiseload("*"))
    ).all()


def ended_bookings(session: Session, *, now: datetime, limit: int) -> Sequence[Booking]:
    """Return active bookings (not holds) whose slot is over, by id."""
    return session.scalars(
        select(Booking)
        .where(
            Booking.status == BookingStatus.ACTIVE,
            Booking.hold_expires_at.is_(None),
            Booking.ends_at <= now,
        )
        .order_by(Booking.id)
        .limit(limit)
        .options(raiseload("*"))
    ).all()


def is_unpaid_at_start(now: datetime) -> ColumnElement[bool]:
    """Moved to a dearer slot, which has begun, and the rest was never paid."""
    return and_(
        Booking.status == BookingStatus.ACTIVE,
        Booking.payment_status == BookingPayment.PENDING,
        Booking.hold_expires_at.is_(None),
        Booking.starts_at <= now,
    )


# ── what can be booked ───────────────────────────────────────────────────────────


def bookable_evses(
    session: Session, evse_ids: Collection[int]
) -> dict[int, BookableEvse]:
    """Return what booking these EVSEs depends on, and keep it so until the end.

    The shared lock makes an operator who closes an EVSE, or its location, wait for
    the bookings being made, so that the list of those to cancel is complete; and
    who waits here for an operator sees the place closed.

    Raises: EvseNotFound.
    """
    rows = session.execute(_BOOKABLE, {"evse_ids": list(evse_ids)})
    found = {
        row.id: BookableEvse(
            row.id,
            row.location_id,
            row.booking_price_paise,
            row.is_active and row.lifecycle == Lifecycle.ACTIVE,
            OpeningHours(row.opening_hours, row.timezone),
        )
        for row in rows
    }
    if missing := set(evse_ids) - set(found):
        raise EvseNotFound(evse_id=min(missing))
    return found


_BOOKABLE = (
    select(
        Evse.id,
        Charger.location_id,
        Evse.booking_price_paise,
        Evse.lifecycle,
        Location.is_active,
        Location.opening_hours,
        Location.timezone,
    )
    .join(Charger, Charger.id == Evse.charger_id)
    .join(Location, Location.id == Charger.location_id)
    .where(
        Evse.id.in_(bindparam("evse_ids", expanding=True)),
        Evse.lifecycle != Lifecycle.REMOVED,
    )
    .order_by(Evse.id)
    .with_for_update(read=True, of=(Evse, Location))
)


def counted_bookings(
    session: Session, user_id: int, *, now: datetime
) -> tuple[int, int]:
    """Return how many live holds and how many upcoming bookings a driver has."""
    row = session.execute(_COUNTED, {"user_id": user_id, "now": now}).one()
    return row[0], row[1]


_IS_HOLD = Booking.hold_expires_at.is_not(None)
_COUNTED = select(func.count().filter(_IS_HOLD), func.count()).where(
    Booking.user_id == bindparam("user_id"),
    Booking.status == BookingStatus.ACTIVE,
    Booking.ends_at > bindparam("now"),
    or_(~_IS_HOLD, Booking.hold_expires_at > bindparam("now")),
)


# ── bookings ─────────────────────────────────────────────────────────────────────


def booking_by_id(session: Session, booking_id: UUID, *, lock: bool = False) -> Booking:
    """Return a booking as it is now, whatever this session saw before.

    With `lock` it stays so: its driver's lock does not keep out others, who may be
    reaping an expired hold at this very moment.

    Raises: BookingNotFound.
    """
    question = select(Booking).where(Booking.id == booking_id)
    booking = session.scalar(
        (question.with_for_update() if lock else question)
        .options(raiseload("*"))
        .execution_options(populate_existing=True)
    )
    if booking is None:
        raise BookingNotFound(booking_id=booking_id)
    return booking


def booking_of_user(session: Session, booking_id: UUID, user_id: int) -> Booking:
    """Return the driver's own booking with its place loaded.

    Raises: BookingNotFound, also when the booking is someone else's.
    """
    booking = session.scalar(
        select(Booking)
        .where(Booking.id == booking_id, Booking.user_id == user_id)
        .options(*_place(), selectinload(Booking.events), raiseload("*"))
    )
    if booking is None:
        raise BookingNotFound(booking_id=booking_id)
    return booking


When = Literal["upcoming", "past", "cancelled"]


def bookings_of_user(
    session: Session,
    user_id: int,
    *,
    when: When,
    now: datetime,
    limit: int,
    offset: int,
) -> Sequence[Booking]:
    """Return a driver's bookings with their places: the next, or the latest, first."""
    order = (
        (Booking.starts_at, Booking.id)
        if when == "upcoming"
        else (Booking.starts_at.desc(), Booking.id)
    )
    return session.scalars(
        select(Booking)
        .where(Booking.user_id == user_id, _is_listed(when, now))
        .order_by(*order)
        .limit(limit)
        .offset(offset)
        .options(*_place(), raiseload("*"))
    ).all()


def booking_counts(session: Session, user_id: int, *, now: datetime) -> dict[When, int]:
    """Return how many bookings a driver has in each of the lists above."""
    lists: tuple[When, ...] = ("upcoming", "past", "cancelled")
    row = session.execute(
        select(*(func.count().filter(_is_listed(when, now)) for when in lists)).where(
            Booking.user_id == user_id
        )
    ).one()
    return dict(zip(lists, row, strict=True))


def _is_listed(when: When, now: datetime) -> ColumnElement[bool]:
    gone = or_(
        Booking.status.in_([BookingStatus.CANCELLED, BookingStatus.EXPIRED]),
        is_expired_hold(now),
    )
    if when == "cancelled":
        return gone
    upcoming = and_(Booking.status == BookingStatus.ACTIVE, Booking.ends_at > now)
    return and_(~gone, upcoming) if when == "upcoming" else and_(~gone, ~upcoming)


def _place() -> tuple[ExecutableOption, ...]:
    site = (
        joinedload(Booking.evse).joinedload(Evse.charger).joinedload(Charger.location)
    )
    return (
        site.joinedload(Location.operator),
        joinedload(Booking.evse).selectinload(Evse.connectors),
    )


def active_bookings_on(
    session: Session,
    evse_ids: Collection[int],
    *,
    now: datetime,
    slot: Slot | None = None,
) -> Sequence[Booking]:
    """Return the promises still to be kept on these EVSEs (within `slot`), by start."""
    within: list[ColumnElement[bool]] = [Booking.ends_at > now]
    if slot is not None:
        within = [Booking.ends_at > slot.starts_at, Booking.starts_at < slot.ends_at]
    return session.scalars(
        select(Booking)
        .where(
            Booking.evse_id.in_(evse_ids),
            Booking.status == BookingStatus.ACTIVE,
            or_(Booking.hold_expires_at.is_(None), Booking.hold_expires_at > now),
            *within,
        )
        .order_by(Booking.starts_at, Booking.id)
        .options(*_place(), raiseload("*"))
    ).all()


def live_blocks_on(
    session: Session, evse_ids: Collection[int], *, now: datetime
) -> Sequence[MaintenanceBlock]:
    """Return the maintenance blocks that stand or are still to come, by start."""
    return session.scalars(
        select(MaintenanceBlock)
        .where(
            MaintenanceBlock.evse_id.in_(evse_ids),
            MaintenanceBlock.lifted_at.is_(None),
            MaintenanceBlock.ends_at > now,
        )
        .order_by(MaintenanceBlock.starts_at)
    ).all()
