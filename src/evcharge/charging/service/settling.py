"""What a booking or a charge finally comes to, once it is over."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, raiseload

from evcharge.accounts.queries import lock_users
from evcharge.billing.models import Bill
from evcharge.billing.queries import bill_of
from evcharge.billing.rules import BillLine, Supply
from evcharge.billing.service import bill
from evcharge.bookings.models import Booking
from evcharge.bookings.queries import booking_by_id
from evcharge.bookings.rules import BookingStatus
from evcharge.charging.models import ChargingSession
from evcharge.charging.queries import Site, samples_of, site_of
from evcharge.charging.rules import HANDSHAKE, SUCCESSFUL_WH, SessionStatus
from evcharge.charging.service.ending import locked_session
from evcharge.charging.usage import usage_of
from evcharge.kernel.money import HOUR
from evcharge.payments.queries import lock_payers, refundable_parts
from evcharge.payments.rules import ItemKind, Payer
from evcharge.payments.service import refund_item
from evcharge.tariffs.rules import Cost, Usage
from evcharge.tariffs.rules.agreed import Agreed

GOING_ON = (SessionStatus.PENDING, SessionStatus.ACTIVE)
# A shop's samples of a whole night; more than that are thinned by nobody.
MOST_SAMPLES = 20_000
NEXT_TO_NOTHING = "Next to no energy was given"


def settle_booking(session: Session, booking_id: UUID, *, now: datetime) -> Bill | None:
    """Bill a booking that is over. None: it is not, or nothing is owed for it.

    A charge under it that goes on is waited for: its end asks again.
    """
    owner = session.scalar(select(Booking.user_id).where(Booking.id == booking_id))
    if owner is None:
        return None
    lock_users(session, [owner])
    booking = booking_by_id(session, booking_id, lock=True)
    charges = charges_under(session, booking_id)
    if not _is_over(booking, charges):
        return None
    known = bill_of(session, ItemKind.BOOKING, booking_id)
    if known is not None:
        return known
    supply = _supply_of_booking(session, booking, charges, now=now)
    if supply is None:
        return None
    row = bill(session, supply, now=now)
    for charge in charges:
        charge.version += 1
    return row


def settle_session(session: Session, session_id: UUID, *, now: datetime) -> Bill | None:
    """Bill a charge without a booking, or one heard of after its booking was billed.

    None: it goes on, never began, or belongs to a booking still to be billed. What a
    guest has paid for a charge that came to nothing goes back.
    """
    lock_payers(session, _payers(session, session_id))
    charge = locked_session(session, session_id)
    if charge.guest_id is not None and _came_to_nothing(charge):
        _return_advance(session, charge, now=now)
        return None
    if charge.status != SessionStatus.COMPLETED:
        return None
    if charge.booking_id is not None:
        known = bill_of(session, ItemKind.BOOKING, charge.booking_id)
        if known is None:
            return settle_booking(session, charge.booking_id, now=now)
        if known.created_at >= (charge.ended_at or now) or charge.tariff is None:
            return known
    if charge.is_of_nobody:
        return None  # Nobody to bill: an unknown card, or an operator's test.
    supply = _supply_of_session(session, charge, now=now)
    row = bill(session, supply, now=now)
    charge.amount_paise = row.total_paise
    charge.version += 1
    return row


def _payers(session: Session, session_id: UUID) -> list[Payer]:
    """Return who is to be locked before the session, as everywhere."""
    user_id, guest_id = session.execute(
        select(ChargingSession.user_id, ChargingSession.guest_id).where(
            ChargingSession.id == session_id
        )
    ).one()
    is_known = user_id is not None or guest_id is not None
    return [Payer(user_id, guest_id)] if is_known else []


def _came_to_nothing(charge: ChargingSession) -> bool:
    """Whether it never began, or hardly: a plug slipped, a vehicle said no."""
    if charge.started_at is None or charge.ended_at is None:
        return charge.status == SessionStatus.INVALID
    lasted = charge.ended_at - charge.started_at
    return charge.energy_wh < SUCCESSFUL_WH and lasted < HANDSHAKE


def _return_advance(
    session: Session, charge: ChargingSession, *, now: datetime
) -> None:
    parts = refundable_parts(session, ItemKind.SESSION, charge.id)
    refund_item(
        session,
        kind=ItemKind.SESSION,
        item_id=charge.id,
        amount_paise=sum(part.left_paise for part in parts),
        reason=charge.failure or NEXT_TO_NOTHING,
        now=now,
    )


def charges_under(session: Session, booking_id: UUID) -> Sequence[ChargingSession]:
    """Return what was charged under a booking, or goes on; not what never began."""
    return session.scalars(
        select(ChargingSession)
        .where(
            ChargingSession.booking_id == booking_id,
            ChargingSession.status.in_([*GOING_ON, SessionStatus.COMPLETED]),
        )
        .order_by(ChargingSession.started_at)
        .options(raiseload("*"))
        .execution_options(populate_existing=True)
    ).all()


def _is_over(booking: Booking, charges: Sequence[ChargingSession]) -> bool:
    is_going_on = any(charge.status in GOING_ON for charge in charges)
    return booking.status != BookingStatus.ACTIVE and not is_going_on


# ── bookings ─────────────────────────────────────────────────────────────────────


def _supply_of_booking(
    session: Session,
    booking: Booking,
    charges: Sequence[ChargingSession],
    *,
    now: datetime,
) -> Supply | None:
    """Return what a booking comes to; None where nothing was paid nor used."""
    kept = _held(session, booking)
    charged = [each for each in charges if each.energy_wh >= SUCCESSFUL_WH]
    if booking.status == BookingStatus.COMPLETED and booking.tariff is not None:
        cost = _cost_under(session, booking, charged, now=now)
        lines, price, includes_tax = _lines(cost), cost.net_paise, False
    else:
        # What the terms let the operator keep; after a slot that was used, its price.
        price, includes_tax = kept, True
        lines = (_slot_line(booking, kept),)
    if not price and not kept:
        return None
    site = site_of(session, booking.evse_id)
    return Supply(
        kind=ItemKind.BOOKING,
        item_id=booking.id,
        reference=booking.reference,
        user_id=booking.user_id,
        guest_id=None,
        evse_id=booking.evse_id,
        location_id=site.location_id,
        title=_title(site),
        starts_at=charged[0].started_at or booking.starts_at
        if charged
        else booking.starts_at,
        ends_at=charged[-1].ended_at or booking.ends_at if charged else booking.ends_at,
        energy_wh=sum(each.energy_wh for each in charged),
        lines=lines,
        price_paise=price,
        includes_tax=includes_tax,
    )


def _held(session: Session, booking: Booking) -> int:
    parts = refundable_parts(session, ItemKind.BOOKING, booking.id)
    return sum(part.left_paise for part in parts)


def _slot_line(booking: Booking, kept_paise: int) -> BillLine:
    if booking.status == BookingStatus.COMPLETED:
        hours = -(-booking.slot.length // HOUR)
        price = str(booking.price_paise_per_hour)
        return BillLine("Booked slot", "slot", str(hours), "h", price, kept_paise)
    why = "Slot kept for you, nobody came"
    if booking.status == BookingStatus.CANCELLED:
        why = "Cancelled late"
    return BillLine(why, "fee", "1", "", str(kept_paise), kept_paise)


def _cost_under(
    session: Session,
    booking: Booking,
    charged: Sequence[ChargingSession],
    *,
    now: datetime,
) -> Cost:
    """Return what the charges under a booking come to. Its reservation, and the least
    and the highest price, count once."""
    agreed = Agreed.from_json(booking.tariff or {})
    reserved = (booking.starts_at, booking.ends_at)
    if not charged:
        return _reservation_alone(agreed, reserved)
    return agreed.cost_together(
        [
            usage_of(
                charge,
                samples_of(session, charge.id, limit=MOST_SAMPLES),
                now=now,
                reserved=reserved if charge is charged[0] else None,
            )
            for charge in charged
        ]
    )


def _reservation_alone(agreed: Agreed, reserved: tuple[datetime, datetime]) -> Cost:
    starts_at = reserved[0]
    return agreed.cost(Usage(starts_at, starts_at, (), starts_at, reserved))


def _lines(cost: Cost) -> tuple[BillLine, ...]:
    return tuple(
        BillLine(
            line.text,
            line.part,
            line.quantity,
            line.unit,
            line.unit_price_paise,
            line.amount_paise,
        )
        for line in cost.lines
    )


# ── charges without a booking ────────────────────────────────────────────────────


def _supply_of_session(
    session: Session, charge: ChargingSession, *, now: datetime
) -> Supply:
    site = site_of(session, charge.evse_id)
    if charge.tariff is not None:
        samples = samples_of(session, charge.id, limit=MOST_SAMPLES)
        cost = Agreed.from_json(charge.tariff).cost(usage_of(charge, samples, now=now))
        lines, price = _lines(cost), cost.net_paise
    else:
        price = charge.amount_paise
        lines = (_hours_line(charge),)
    return Supply(
        kind=ItemKind.SESSION,
        item_id=charge.id,
        reference=charge.reference,
        user_id=charge.user_id,
        guest_id=charge.guest_id,
        evse_id=charge.evse_id,
        location_id=site.location_id,
        title=_title(site),
        starts_at=charge.started_at or charge.created_at,
        ends_at=charge.ended_at or now,
        energy_wh=charge.energy_wh,
        lines=lines,
        price_paise=price,
        includes_tax=charge.tariff is None,
    )


def _hours_line(charge: ChargingSession) -> BillLine:
    per_hour = charge.price_paise_per_hour
    hours = charge.amount_paise // per_hour if per_hour else 0
    text = "Charging, by the started hour"
    return BillLine(text, "time", str(hours), "h", str(per_hour), charge.amount_paise)


def _title(site: Site) -> str:
    return f"Charging at {site.location_name}, point {site.point}"[:200]
