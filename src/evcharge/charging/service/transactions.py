"""Transactions that begin. All of them are kept, whatever they look like."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from evcharge.accounts.rules.cards import fold_uid
from evcharge.bookings.service import note_session
from evcharge.charging.models import (
    ChargingSession,
    OcppTransaction,
)
from evcharge.charging.queries import (
    EvsePlace,
    open_transactions_of,
    place_by_number,
    transaction_named,
)
from evcharge.charging.rules import (
    Flag,
    Meter,
    Moment,
    SessionEventKind,
    SessionStatus,
    StartAnswer,
    StartedBy,
    TransactionStart,
    moment,
)
from evcharge.charging.service.changes import flag, put_under, record, tell
from evcharge.charging.service.claims import roll_claims
from evcharge.charging.service.ending import (
    lock_transactions,
    locked_session,
    show_meter,
)
from evcharge.charging.service.healing import heal
from evcharge.charging.service.judging import Verdict, judge, refuse
from evcharge.charging.service.stops import match_stop
from evcharge.charging.service.tags import (
    Holder,
    holder_of,
)
from evcharge.kernel.db import changed
from evcharge.kernel.ids import new_id, new_reference
from evcharge.stations.models import Evse
from evcharge.tariffs.queries import agreed_at

REPLACED = "Another vehicle began to charge here."


def start_transaction(
    session: Session, start: TransactionStart, *, at: datetime
) -> StartAnswer:
    """Keep that charging began, and say whether it may go on.

    The same start again, because its answer was lost, is the same transaction: for
    OCPP 2.0.1 by its id, for OCPP 1.6 by all that it says while it is still open.

    Raises: EvseNotFound.
    """
    lock_transactions(session, start.charger_id)
    place = place_by_number(session, start.charger_id, start.evse_number)
    known = _same_start(session, place, start)
    if known is not None:
        return StartAnswer(known.number, known.is_allowed, known.session_id)
    when = moment(start.charger_at, heard_at=at)
    is_current = _make_room(session, place, when, at=at)
    holder = holder_of(
        session, start.tag, charger_id=start.charger_id, at=when.at
    ).at_evse(place.evse_id)
    # A 2.0.1 charger may begin with the plug and hear who it is later.
    is_anonymous = start.tag is None and start.transaction_ref is not None
    verdict = (
        Verdict(is_allowed=True)
        if is_anonymous
        else judge(session, place.evse_id, holder, at=when.at)
    )
    charge = _begin(session, place, start, holder, verdict, when, now=at)
    transaction = OcppTransaction(
        charger_id=start.charger_id,
        transaction_ref=start.transaction_ref,
        session_id=charge.id,
        is_allowed=verdict.is_allowed,
        connector_id=start.connector_number or 0,
        tag=start.tag,
        meter_start_wh=start.meter_wh,
        charger_started_at=start.charger_at,
    )
    session.add(transaction)
    session.flush()
    if is_current:
        _occupy(session, place, charge, now=at)
    if verdict.booking is not None:
        note_session(session, verdict.booking.id, at=when.at, now=at)
    if not verdict.is_allowed:
        refuse(session, charge, transaction, is_late=when.is_late, now=at)
    match_stop(session, charge, transaction, now=at)
    return StartAnswer(transaction.number, verdict.is_allowed, charge.id)


def _same_start(
    session: Session, place: EvsePlace, start: TransactionStart
) -> OcppTransaction | None:
    if start.transaction_ref is not None:
        return transaction_named(
            session, start.charger_id, number=None, ref=start.transaction_ref
        )
    same = open_transactions_of(
        session,
        start.charger_id,
        OcppTransaction.connector_id == (start.connector_number or 0),
        OcppTransaction.meter_start_wh == start.meter_wh,
        OcppTransaction.charger_started_at == start.charger_at,
        OcppTransaction.tag == start.tag,
        OcppTransaction.session_id.in_(
            select(ChargingSession.id).where(ChargingSession.evse_id == place.evse_id)
        ),
    )
    return same[0] if same else None


def _make_room(
    session: Session, place: EvsePlace, when: Moment, *, at: datetime
) -> bool:
    """End what seems to charge here still; its stop was missed. Return whether this
    start is the latest: one out of an offline queue may be older than what goes on.
    """
    if place.open_session_id is None:
        return True
    charging = locked_session(session, place.open_session_id)
    began = charging.started_at or charging.created_at
    if when.is_late and when.at < began:
        return False
    heal(session, charging, at=when.at, why=REPLACED)
    return True


def _begin(
    session: Session,
    place: EvsePlace,
    start: TransactionStart,
    holder: Holder,
    verdict: Verdict,
    when: Moment,
    *,
    now: datetime,
) -> ChargingSession:
    """Go on with the session they asked for from their phone, or begin a new one."""
    charge = holder.asked
    if charge is None or charge.evse_id != place.evse_id:
        charge = new_session(session, place, now=now)
        session.add(charge)
    charge.status = SessionStatus.ACTIVE
    charge.started_by = holder.by
    charge.user_id = holder.user_id
    charge.tag = None if start.tag is None else fold_uid(start.tag)[:36]
    charge.connector_number = start.connector_number
    charge.started_at = when.at
    charge.charger_started_at = start.charger_at
    if verdict.booking is not None:
        put_under(charge, verdict.booking)
    show_meter(charge, Meter(start.meter_wh, start.meter_wh))
    flag(charge, [*verdict.flags, *_oddities(start, when)])
    charge.version += 1
    session.flush()
    record(session, charge, SessionEventKind.STARTED, now=now, by=holder.by)
    return charge


def new_session(
    session: Session, place: EvsePlace, *, now: datetime
) -> ChargingSession:
    """Return a session of nobody yet, at the price of the place as it is now."""
    agreed = agreed_at(session, [place.evse_id], at=now).get(place.evse_id)
    return ChargingSession(
        id=new_id(),
        reference=new_reference("CS"),
        evse_id=place.evse_id,
        status=SessionStatus.PENDING,
        started_by=StartedBy.UNKNOWN,
        created_at=now,
        price_paise_per_hour=place.price_paise_per_hour,
        meter_offset_wh=0,
        energy_wh=0,
        amount_paise=0,
        tariff=agreed.as_json() if agreed else None,
        prepaid_paise=0,
        paid_at=None,
        charging_state="",
        stop_reason="",
        failure="",
        flags=[],
        version=1,
    )


def _oddities(start: TransactionStart, when: Moment) -> list[Flag]:
    return [
        *([Flag.OFFLINE] if start.is_offline or when.is_late else []),
        *([Flag.CLOCK_WRONG] if when.is_clock_wrong else []),
        *([Flag.METER_MISSING] if start.meter_wh is None else []),
    ]


def _occupy(
    session: Session, place: EvsePlace, charge: ChargingSession, *, now: datetime
) -> None:
    changed(
        session,
        update(Evse).where(Evse.id == place.evse_id).values(open_session_id=charge.id),
    )
    if charge.booking_id is None:
        roll_claims(session, charge, now=now)
    tell(session, charge)
