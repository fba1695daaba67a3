"""Charging without an account: paid first, started by the money, returned unasked.

A session waits UNPAID, holding nothing: neither the place nor anybody's time. The money
that comes in decides anew whether one can charge there, asks the charger to start, or
goes back at once, all in the transaction of the payment's own change.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, raiseload

from evcharge.accounts.models import Guest
from evcharge.bookings.rules import PROVIDER
from evcharge.charging.models import ChargingSession
from evcharge.charging.queries import (
    EvsePlace,
    owner_of_quarter,
    session_of_guest_or_none,
    site_of,
)
from evcharge.charging.rules import (
    MOST_ADVANCE_PAISE,
    MOST_PAYING,
    PAYING_FOR,
    SHORTEST_VISIT,
    TIME_TO_PREPAY,
    UNPAID_FOR,
    BadAdvance,
    CannotStartHere,
    NotYourTime,
    SessionEventKind,
    SessionNotFound,
    SessionStatus,
    SessionUnderWay,
    StartedBy,
    TooManyPaying,
    Visit,
    least_advance_paise,
)
from evcharge.charging.service.changes import record, tell
from evcharge.charging.service.claims import release_claims, roll_claims
from evcharge.charging.service.ending import locked_session
from evcharge.charging.service.starting import (
    check_place,
    locked_place,
    plugged_in,
    send_start,
)
from evcharge.charging.service.transactions import new_session
from evcharge.control.rules import ChargerNotConnected
from evcharge.kernel.db import insert_missing
from evcharge.kernel.money import rupees
from evcharge.payments.models import Checkout, CheckoutItem
from evcharge.payments.rules import Item, ItemKind, NothingToPay, Payer
from evcharge.payments.service import lock_payer, open_checkout, refund_item
from evcharge.stations.rules import ClaimedBy
from evcharge.tariffs.rules.agreed import Agreed

BATCH = 200
REFUSALS = (CannotStartHere, ChargerNotConnected, NotYourTime, SessionUnderWay)
NOT_PAID = "It was not paid in time."
PAID_TOO_LATE = "Paid after the time to pay was over"
PAID_TWICE = "Paid twice"


def open_prepaid(session: Session, wanted: Visit, *, now: datetime) -> ChargingSession:
    """Let a guest pay for a charge. The same guest again has the same session; until
    it is paid, with the amount they chose last.

    Raises: EvseNotFound, BadAdvance, TooManyPaying, and what `check_place` raises.
    """
    guest = {
        "id": wanted.guest_id,
        "email": wanted.email,
        "phone": wanted.phone,
        "created_at": now,
    }
    insert_missing(session, Guest, [guest])
    lock_payer(session, Payer(guest_id=wanted.guest_id))
    known = session_of_guest_or_none(session, wanted.guest_id)
    if known is not None and known.status != SessionStatus.UNPAID:
        return known
    place = locked_place(session, wanted.evse_id)
    _check_free(session, place, now=now)
    if known is None:
        _check_room(session, place, now=now)
        charge = _begin(session, place, wanted, now=now)
    else:
        charge = locked_session(session, known.id)
    _check_amount(charge, wanted.amount_paise, now=now)
    charge.prepaid_paise = wanted.amount_paise
    session.flush()
    return charge


def _begin(
    session: Session, place: EvsePlace, wanted: Visit, *, now: datetime
) -> ChargingSession:
    charge = new_session(session, place, now=now)
    charge.status = SessionStatus.UNPAID
    charge.started_by = StartedBy.APP
    charge.guest_id = wanted.guest_id
    charge.tag = charge.reference
    session.add(charge)
    return charge


def _check_free(session: Session, place: EvsePlace, *, now: datetime) -> None:
    """Raises: what `check_place` raises."""
    check_place(session, place, None, None, now=now)
    soon = owner_of_quarter(session, place.evse_id, at=now + SHORTEST_VISIT)
    if soon is not None and soon.kind != ClaimedBy.SESSION:
        raise NotYourTime("Someone else's time begins here in a few minutes.")


def _check_amount(charge: ChargingSession, paise: int, *, now: datetime) -> None:
    agreed = Agreed.from_json(charge.tariff) if charge.tariff else None
    least = least_advance_paise(
        agreed, price_paise_per_hour=charge.price_paise_per_hour, now=now
    )
    if not least <= paise <= MOST_ADVANCE_PAISE:
        most = rupees(MOST_ADVANCE_PAISE)
        raise BadAdvance(f"Choose from {rupees(least)} to {most}.")


def _check_room(session: Session, place: EvsePlace, *, now: datetime) -> None:
    paying = select(func.count(ChargingSession.id)).where(
        ChargingSession.evse_id == place.evse_id,
        ChargingSession.status == SessionStatus.UNPAID,
        ChargingSession.created_at > now - PAYING_FOR,
    )
    if (session.scalar(paying) or 0) >= MOST_PAYING:
        raise TooManyPaying(evse_id=place.evse_id)


def ask_to_prepay(
    session: Session, *, guest_id: UUID, return_path: str, now: datetime
) -> Checkout:
    """Open the checkout of a guest's session.

    Raises: SessionNotFound; NothingToPay once it is paid or given up.
    """
    lock_payer(session, Payer(guest_id=guest_id))
    charge = session_of_guest_or_none(session, guest_id)
    if charge is None:
        raise SessionNotFound(guest_id=guest_id)
    if charge.status != SessionStatus.UNPAID:
        raise NothingToPay(session_id=charge.id)
    site = site_of(session, charge.evse_id)
    return open_checkout(
        session,
        guest_id=guest_id,
        items=[
            Item(ItemKind.SESSION, charge.id, charge.prepaid_paise, site.location_id)
        ],
        description=f"Charging at {site.location_name}, point {site.point}",
        return_path=return_path,
        expires_at=now + TIME_TO_PREPAY,
        now=now,
    )


# ── the money is in ──────────────────────────────────────────────────────────────


def confirm_prepaid(
    session: Session,
    *,
    item_id: UUID,
    amount_paise: int,
    payment_id: UUID,
    now: datetime,
) -> None:
    """Take a guest's money: the one function that lets their charge begin.

    Runs in the transaction of the payment's own change, with the guest's row locked.
    The place is judged again: whoever paid first charges, and all others have their
    money back.
    """
    evse_id = session.scalars(
        select(ChargingSession.evse_id).where(ChargingSession.id == item_id)
    ).one()
    place = locked_place(session, evse_id)
    charge = locked_session(session, item_id)
    if charge.status != SessionStatus.UNPAID:
        reason = PAID_TWICE if charge.paid_at else PAID_TOO_LATE
        _give_back(session, charge, amount_paise, reason, now=now)
        return
    charge.prepaid_paise, charge.paid_at = amount_paise, now
    charge.version += 1
    session.flush()
    refusal = _why_not(session, place, charge, now=now)
    if refusal is None:
        charge.status = SessionStatus.PENDING
        session.flush()
        send_start(session, place, charge, None, now=now)
        return
    _refuse(session, charge, refusal, now=now)
    _give_back(session, charge, amount_paise, refusal, now=now)


def _why_not(
    session: Session, place: EvsePlace, charge: ChargingSession, *, now: datetime
) -> str | None:
    """Return why one cannot charge there now after all; None: one can, and the place
    is theirs."""
    try:
        _check_free(session, place, now=now)
    except REFUSALS as refusal:
        return refusal.message
    # The quarter hour is of the plug that is in already, until they are recognised.
    if plugged_in(session, place) or roll_claims(session, charge, now=now):
        return None
    release_claims(session, charge.id)
    return NotYourTime.message


def _refuse(
    session: Session, charge: ChargingSession, why: str, *, now: datetime
) -> None:
    charge.status = SessionStatus.INVALID
    charge.failure = why[:200]
    session.flush()
    kind = SessionEventKind.FAILED
    record(session, charge, kind, actor=PROVIDER, now=now, why=charge.failure)
    tell(session, charge)


def _give_back(
    session: Session,
    charge: ChargingSession,
    amount_paise: int,
    reason: str,
    *,
    now: datetime,
) -> None:
    refund_item(
        session,
        kind=ItemKind.SESSION,
        item_id=charge.id,
        amount_paise=amount_paise,
        reason=reason,
        now=now,
    )


# ── nobody paid ──────────────────────────────────────────────────────────────────


def drop_unpaid(session: Session, *, now: datetime) -> int:
    """Give up what nobody paid for, at most a batch. Return how many.

    Money that comes in later goes back by itself.
    """
    may_still_pay = exists().where(
        CheckoutItem.item_id == ChargingSession.id,
        CheckoutItem.kind == ItemKind.SESSION,
        Checkout.id == CheckoutItem.checkout_id,
        Checkout.expires_at > now - (UNPAID_FOR - TIME_TO_PREPAY),
    )
    dropped = session.scalars(
        select(ChargingSession)
        .where(
            ChargingSession.status == SessionStatus.UNPAID,
            ChargingSession.created_at <= now - UNPAID_FOR,
            ~may_still_pay,
        )
        .order_by(ChargingSession.id)
        .limit(BATCH)
        .with_for_update(of=ChargingSession, skip_locked=True)
        .options(raiseload("*"))
    ).all()
    for charge in dropped:
        charge.status = SessionStatus.INVALID
        charge.failure = NOT_PAID
        charge.version += 1
        session.flush()
        tell(session, charge)
    return len(dropped)
