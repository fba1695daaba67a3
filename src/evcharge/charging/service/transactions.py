"""What chargers report of transactions. All of it is kept, whatever it looks like."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from evcharge.accounts.rules.cards import fold_uid
from evcharge.bookings.models import Booking
from evcharge.bookings.service import note_session
from evcharge.charging.models import (
    ChargingSession,
    OcppTransaction,
    UnmatchedStop,
)
from evcharge.charging.queries import (
    EvsePlace,
    open_transactions_of,
    owner_of_quarter,
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
    TransactionStop,
    moment,
)
from evcharge.charging.service.changes import flag, record, tell, unflag
from evcharge.charging.service.claims import roll_claims
from evcharge.charging.service.ending import (
    finish,
    locked_session,
    meter_of,
    show_meter,
)
from evcharge.charging.service.healing import heal
from evcharge.charging.service.metering import add_history
from evcharge.charging.service.tags import (
    Holder,
    authorize,
    booking_here,
    holder_of,
)
from evcharge.control.models import ChargerConnection
from evcharge.control.rules import CommandKind
from evcharge.control.service import queue_command
from evcharge.kernel.db import changed
from evcharge.kernel.ids import new_id, new_reference
from evcharge.stations.models import Evse
from evcharge.stations.rules import ClaimedBy

REPLACED = "Another vehicle began to charge here."


@dataclass(frozen=True)
class Verdict:
    """Whether whoever started may go on, under which booking, and what is odd."""

    is_allowed: bool
    booking: Booking | None = None
    flags: frozenset[Flag] = frozenset()


# ── it begins ────────────────────────────────────────────────────────────────────


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
    holder = holder_of(session, start.tag, charger_id=start.charger_id, at=when.at)
    verdict = _judge(session, place, holder, start, at=when.at)
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
        _refuse(session, charge, transaction, is_late=when.is_late, now=at)
    _match_stop(session, charge, transaction, now=at)
    return StartAnswer(transaction.number, verdict.is_allowed, charge.id)


def lock_transactions(session: Session, charger_id: int) -> None:
    """Let no other node work on this charger's transactions until this is over."""
    session.execute(
        select(ChargerConnection.charger_id)
        .where(ChargerConnection.charger_id == charger_id)
        .with_for_update()
    )


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


def _judge(
    session: Session,
    place: EvsePlace,
    holder: Holder,
    start: TransactionStart,
    *,
    at: datetime,
) -> Verdict:
    """Decide whose time it is: here, and not in Authorize, which names no EVSE."""
    # A 2.0.1 charger may begin with the plug and hear who it is later.
    is_anonymous = start.tag is None and start.transaction_ref is not None
    booking = _booking_used(session, place, holder, at=at)
    owner = owner_of_quarter(session, place.evse_id, at=at)
    is_foreign = owner is not None and (
        owner.kind == ClaimedBy.BLOCK
        or (owner.kind == ClaimedBy.BOOKING and not _is_theirs(owner.user_id, holder))
    )
    flags = set()
    if is_foreign and not is_anonymous:
        flags.add(Flag.FOREIGN_SLOT)
    if not holder.is_known and not is_anonymous:
        flags.add(Flag.UNKNOWN_TAG)
    return Verdict(not flags, booking, frozenset(flags))


def _is_theirs(user_id: int | None, holder: Holder) -> bool:
    return user_id is not None and user_id == holder.user_id


def _booking_used(
    session: Session, place: EvsePlace, holder: Holder, *, at: datetime
) -> Booking | None:
    """Return the booking a driver comes with, if it is for this EVSE."""
    if holder.booking is not None and holder.booking.evse_id == place.evse_id:
        return holder.booking
    if holder.user_id is None:
        return None
    return booking_here(session, holder.user_id, place.evse_id, at=at)


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
        charge = new_session(place, now=now)
        session.add(charge)
    charge.status = SessionStatus.ACTIVE
    charge.started_by = holder.by
    charge.user_id = holder.user_id
    charge.tag = None if start.tag is None else fold_uid(start.tag)[:36]
    charge.connector_number = start.connector_number
    charge.started_at = when.at
    charge.charger_started_at = start.charger_at
    if verdict.booking is not None:
        charge.booking_id = verdict.booking.id
        charge.price_paise_per_hour = 0
    show_meter(charge, Meter(start.meter_wh, start.meter_wh))
    flag(charge, [*verdict.flags, *_oddities(start, when)])
    charge.version += 1
    session.flush()
    record(session, charge, SessionEventKind.STARTED, now=now, by=holder.by)
    return charge


def new_session(place: EvsePlace, *, now: datetime) -> ChargingSession:
    """Return a session of nobody yet, at the price of the place."""
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


def _refuse(
    session: Session,
    charge: ChargingSession,
    transaction: OcppTransaction,
    *,
    is_late: bool,
    now: datetime,
) -> None:
    record(session, charge, SessionEventKind.REFUSED, now=now, flags=charge.flags)
    if not is_late:  # What is over cannot be stopped.
        ask_charger_to_stop(session, charge, transaction, by=None, now=now)


def ask_charger_to_stop(
    session: Session,
    charge: ChargingSession,
    transaction: OcppTransaction,
    *,
    by: int | None,
    now: datetime,
) -> None:
    queue_command(
        session,
        charger_id=transaction.charger_id,
        kind=CommandKind.STOP,
        arguments={"number": transaction.number, "ref": transaction.transaction_ref},
        by=by,
        now=now,
        session_id=charge.id,
    )


# ── it ends ──────────────────────────────────────────────────────────────────────


def stop_transaction(session: Session, stop: TransactionStop, *, at: datetime) -> bool:
    """Keep that charging ended. Return whether the tag that stopped it is still good.

    A stop of a transaction nobody knows is kept and matched when its start comes.
    """
    lock_transactions(session, stop.charger_id)
    transaction = transaction_named(
        session, stop.charger_id, number=stop.number, ref=stop.transaction_ref
    ) or _by_circumstance(session, stop)
    if transaction is None:
        _keep_unmatched(session, stop, at=at)
    else:
        _end(session, transaction, stop, at=at)
    if stop.tag is None:
        return True
    return authorize(session, stop.charger_id, stop.tag, now=at)


def _by_circumstance(session: Session, stop: TransactionStop) -> OcppTransaction | None:
    """Return the one transaction a stop without a valid number can be of."""
    if stop.number is not None and stop.number > 0:
        return None  # A number of ours that is not theirs is not to be guessed about.
    found = [
        each
        for each in open_transactions_of(session, stop.charger_id)
        if (stop.tag is None or each.tag == stop.tag)
        and (
            stop.meter_wh is None
            or each.meter_start_wh is None
            or each.meter_start_wh <= stop.meter_wh
        )
    ]
    return found[0] if len(found) == 1 else None


def _keep_unmatched(session: Session, stop: TransactionStop, *, at: datetime) -> None:
    number = -1 if stop.number is None else stop.number
    is_repeated = session.scalar(
        select(UnmatchedStop.id).where(
            UnmatchedStop.charger_id == stop.charger_id,
            UnmatchedStop.number == number,
            UnmatchedStop.meter_wh == stop.meter_wh,
            UnmatchedStop.charger_at == stop.charger_at,
        )
    )
    if is_repeated is None:
        session.add(
            UnmatchedStop(
                charger_id=stop.charger_id,
                number=number,
                tag=stop.tag,
                meter_wh=stop.meter_wh,
                at=at,
                charger_at=stop.charger_at,
                reason=stop.reason[:40],
            )
        )
        session.flush()


def _end(
    session: Session,
    transaction: OcppTransaction,
    stop: TransactionStop,
    *,
    at: datetime,
) -> None:
    charge = locked_session(session, transaction.session_id)
    was_healed = Flag.STOP_MISSING in charge.flags
    if charge.status != SessionStatus.ACTIVE and not was_healed:
        return  # It has been told before.
    add_history(session, charge, stop.readings, at=at)
    _read_last(charge, stop)
    when = moment(stop.charger_at, heard_at=at)
    flag(charge, [Flag.CLOCK_WRONG] if when.is_clock_wrong else [])
    flag(charge, [Flag.OFFLINE] if stop.is_offline or when.is_late else [])
    if was_healed:
        unflag(charge, Flag.STOP_MISSING, Flag.METER_ESTIMATED)
        flag(charge, [Flag.LATE])
    charge.charger_ended_at = stop.charger_at
    transaction.is_open = False
    finish(session, charge, at=when.at, reason=stop.reason, now=at)


def _read_last(charge: ChargingSession, stop: TransactionStop) -> None:
    if stop.meter_wh is None:
        flag(charge, [Flag.METER_MISSING])
        return
    meter = meter_of(charge).reads(stop.meter_wh)
    if meter.has_decreased:
        flag(charge, [Flag.METER_DECREASED])
    show_meter(charge, meter)


def _match_stop(
    session: Session,
    charge: ChargingSession,
    transaction: OcppTransaction,
    *,
    now: datetime,
) -> None:
    """End a transaction whose stop came before its start did."""
    began_at = transaction.charger_started_at
    if transaction.transaction_ref is not None or began_at is None:
        return
    waiting = session.scalars(
        select(UnmatchedStop)
        .where(
            UnmatchedStop.charger_id == transaction.charger_id,
            UnmatchedStop.matched_at.is_(None),
            UnmatchedStop.number <= 0,
            UnmatchedStop.tag == transaction.tag,
            UnmatchedStop.meter_wh >= (transaction.meter_start_wh or 0),
            UnmatchedStop.charger_at >= began_at,
        )
        .order_by(UnmatchedStop.charger_at)
    ).all()
    if len(waiting) != 1:
        return
    stop = waiting[0]
    stop.session_id, stop.matched_at = charge.id, now
    flag(charge, [Flag.MATCHED_LATER])
    session.flush()
    _end(
        session,
        transaction,
        TransactionStop(
            charger_id=stop.charger_id,
            meter_wh=stop.meter_wh,
            charger_at=stop.charger_at,
            reason=stop.reason,
        ),
        at=now,
    )


def recognise(
    session: Session,
    charge: ChargingSession,
    transaction: OcppTransaction,
    tag: str,
    *,
    now: datetime,
) -> bool:
    """Learn, after the start, who charges (OCPP 2.0.1). Return whether they may."""
    if charge.tag == fold_uid(tag) and charge.user_id is not None:
        transaction.tag = tag  # They asked for it from their phone, and here they are.
        return transaction.is_allowed
    place = place_by_number(
        session, transaction.charger_id, _number_of(session, charge.evse_id)
    )
    holder = holder_of(session, tag, charger_id=transaction.charger_id, at=now)
    start = TransactionStart(
        charger_id=transaction.charger_id,
        evse_number=place.number,
        connector_number=charge.connector_number,
        tag=tag,
        meter_wh=charge.meter_start_wh,
        charger_at=charge.charger_started_at,
        transaction_ref=transaction.transaction_ref,
    )
    verdict = _judge(session, place, holder, start, at=now)
    _adopt(session, charge, holder, verdict, tag, now=now)
    transaction.tag, transaction.is_allowed = tag, verdict.is_allowed
    if verdict.booking is not None:
        note_session(session, verdict.booking.id, at=now, now=now)
    if not verdict.is_allowed:
        _refuse(session, charge, transaction, is_late=False, now=now)
    tell(session, charge)
    return verdict.is_allowed


def _number_of(session: Session, evse_id: int) -> int:
    return session.scalars(select(Evse.number).where(Evse.id == evse_id)).one()


def _adopt(
    session: Session,
    charge: ChargingSession,
    holder: Holder,
    verdict: Verdict,
    tag: str,
    *,
    now: datetime,
) -> None:
    charge.started_by, charge.user_id = holder.by, holder.user_id
    charge.tag = fold_uid(tag)[:36]
    if verdict.booking is not None:
        charge.booking_id = verdict.booking.id
        charge.price_paise_per_hour = 0
    if holder.asked is not None and holder.asked.id != charge.id:
        _merge(session, holder.asked.id, charge, now=now)
    flag(charge, verdict.flags)
    charge.version += 1
    session.flush()


def _merge(
    session: Session, asked_id: UUID, charge: ChargingSession, *, now: datetime
) -> None:
    """The plug began a session before its driver asked for one: one of them goes on."""
    asked = locked_session(session, asked_id)
    asked.status = SessionStatus.INVALID
    asked.failure = f"It goes on as {charge.reference}."
    record(
        session,
        asked,
        SessionEventKind.FAILED,
        now=now,
        goes_on_as=str(charge.id),
    )
    tell(session, asked)
