"""Transactions that end, and stops of transactions nobody knows (yet)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcharge.charging.models import ChargingSession, OcppTransaction, UnmatchedStop
from evcharge.charging.queries import (
    open_transactions_of,
    transaction_named,
)
from evcharge.charging.rules import (
    Flag,
    SessionStatus,
    TransactionStop,
    moment,
)
from evcharge.charging.service.changes import flag, unflag
from evcharge.charging.service.ending import (
    finish,
    lock_transactions,
    locked_session,
    meter_of,
    show_meter,
)
from evcharge.charging.service.metering import add_history
from evcharge.charging.service.tags import authorize


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


def match_stop(
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
