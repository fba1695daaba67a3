"""TransactionEvents of OCPP 2.0.1: in any order, any number of times."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evcharge.charging.models import (
    ChargingSession,
    OcppTransaction,
    OcppTransactionEvent,
)
from evcharge.charging.queries import place_of_evse, transaction_named
from evcharge.charging.rules import (
    EventType,
    Flag,
    SessionStatus,
    TransactionEvent,
    TransactionStart,
    TransactionStop,
    moment,
)
from evcharge.charging.service.changes import flag, tell, unflag
from evcharge.charging.service.ending import (
    lock_transactions,
    locked_session,
    meter_of,
    show_meter,
)
from evcharge.charging.service.metering import add_readings, keep_samples
from evcharge.charging.service.recognising import recognise
from evcharge.charging.service.stops import stop_transaction
from evcharge.charging.service.transactions import start_transaction
from evcharge.kernel.db import insert_if_missing
from evcharge.stations.models import Connector
from evcharge.stations.rules import ConnectorReport, Plug, ReportedStatus
from evcharge.stations.service import record_connector_statuses

# OCPP 2.0.1 part 2, section 3.20 ChargingStateEnumType.
STATES = {
    "Charging": ReportedStatus.CHARGING,
    "SuspendedEV": ReportedStatus.SUSPENDED_EV,
    "SuspendedEVSE": ReportedStatus.SUSPENDED_EVSE,
    "EVConnected": ReportedStatus.PREPARING,
    "Idle": ReportedStatus.FINISHING,
}


def record_event(
    session: Session, event: TransactionEvent, *, at: datetime
) -> bool | None:
    """Keep what an event says, once. Return whether its tag may charge, if it has one.

    An event that comes before its transaction's start begins the session too; what
    the start says is filled in when it comes.

    Raises: EvseNotFound, when not even the EVSE can be told.
    """
    lock_transactions(session, event.charger_id)
    transaction = _transaction(session, event)
    is_new = transaction is None
    if transaction is None:
        transaction = _begin(session, event, at=at)
    if not _is_first(session, transaction, event, at=at):
        return transaction.is_allowed if event.tag else None
    charge = locked_session(session, transaction.session_id)
    if event.type == EventType.STARTED and not is_new:
        _fill_in(charge, transaction, event)
    is_allowed = _answer_tag(session, charge, transaction, event, is_new, at=at)
    if transaction.session_id != charge.id:  # Whoever paid for it was recognised.
        charge = locked_session(session, transaction.session_id)
    if event.type == EventType.ENDED:
        _end(session, event, at=at)
    elif _is_latest(session, transaction, event):
        add_readings(session, charge, event.readings, at=at)
    else:
        keep_samples(session, charge, event.readings, at=at)
        _begin_earlier(charge, event)
    _note_state(session, charge, event, at=at)
    _note_gaps(session, charge, transaction)
    session.flush()
    return is_allowed


def _transaction(session: Session, event: TransactionEvent) -> OcppTransaction | None:
    return transaction_named(
        session, event.charger_id, number=None, ref=event.transaction_ref
    )


def _begin(
    session: Session, event: TransactionEvent, *, at: datetime
) -> OcppTransaction:
    registers = event.registers_wh
    start_transaction(
        session,
        TransactionStart(
            charger_id=event.charger_id,
            evse_number=event.evse_number or 1,
            connector_number=event.connector_number,
            tag=event.tag,
            meter_wh=registers[0] if registers else None,
            charger_at=event.charger_at,
            transaction_ref=event.transaction_ref,
            is_offline=event.is_offline,
            reservation_number=event.reservation_number,
            remote_start_id=event.remote_start_id,
        ),
        at=at,
    )
    transaction = _transaction(session, event)
    assert transaction is not None  # noqa: S101 - it has just been made
    if event.type != EventType.STARTED:
        charge = locked_session(session, transaction.session_id)
        flag(charge, [Flag.START_MISSING])
        session.flush()
    return transaction


def _is_first(
    session: Session,
    transaction: OcppTransaction,
    event: TransactionEvent,
    *,
    at: datetime,
) -> bool:
    row = {
        "number": transaction.number,
        "seq_no": event.seq_no,
        "type": event.type,
        "at": at,
    }
    return insert_if_missing(session, OcppTransactionEvent, row)


def _is_latest(
    session: Session, transaction: OcppTransaction, event: TransactionEvent
) -> bool:
    """Whether nothing later is known: the register of an older one is no decrease."""
    later = select(OcppTransactionEvent.seq_no).where(
        OcppTransactionEvent.number == transaction.number,
        OcppTransactionEvent.seq_no > event.seq_no,
    )
    return session.scalar(later.limit(1)) is None


def _begin_earlier(charge: ChargingSession, event: TransactionEvent) -> None:
    """Without its start, a session began where its earliest event says."""
    registers = event.registers_wh
    if registers and Flag.START_MISSING in charge.flags:
        charge.meter_start_wh = min(registers[0], charge.meter_start_wh or registers[0])
        show_meter(charge, meter_of(charge))


def _fill_in(
    charge: ChargingSession, transaction: OcppTransaction, event: TransactionEvent
) -> None:
    """The start has come after all: where the meter stood, and when it began."""
    unflag(charge, Flag.START_MISSING)
    registers = event.registers_wh
    if registers and registers[0] <= (charge.meter_start_wh or registers[0]):
        charge.meter_start_wh = registers[0]
        charge.meter_wh = max(charge.meter_wh or 0, registers[0])
        unflag(charge, Flag.METER_MISSING)
        show_meter(charge, meter_of(charge))
    if event.charger_at is not None:
        charge.charger_started_at = transaction.charger_started_at = event.charger_at
        charge.started_at = min(charge.started_at or event.charger_at, event.charger_at)


def _answer_tag(
    session: Session,
    charge: ChargingSession,
    transaction: OcppTransaction,
    event: TransactionEvent,
    is_new: bool,
    *,
    at: datetime,
) -> bool | None:
    if event.tag is None:
        return None
    is_known = is_new or transaction.tag == event.tag
    # A stop by another card is none of the transaction's business (group ids apart).
    if is_known or event.type == EventType.ENDED:
        return transaction.is_allowed
    if charge.tag is not None and transaction.tag is not None:
        return transaction.is_allowed
    when = moment(event.charger_at, heard_at=at)
    return recognise(session, charge, transaction, event.tag, now=when.at)


def _end(session: Session, event: TransactionEvent, *, at: datetime) -> None:
    registers = event.registers_wh
    stop_transaction(
        session,
        TransactionStop(
            charger_id=event.charger_id,
            meter_wh=registers[-1] if registers else None,
            charger_at=event.charger_at,
            transaction_ref=event.transaction_ref,
            reason=event.reason,
            readings=event.readings,
            is_offline=event.is_offline,
        ),
        at=at,
    )


def _note_state(
    session: Session, charge: ChargingSession, event: TransactionEvent, *, at: datetime
) -> None:
    """What the vehicle does is said here, not in StatusNotification as in OCPP 1.6."""
    if event.charging_state is None or event.is_offline:
        return
    is_over = charge.status != SessionStatus.ACTIVE
    state = "Idle" if is_over else event.charging_state
    if state == charge.charging_state:
        return
    charge.charging_state = state[:20]
    status = STATES.get(state)
    connectors = _connectors(session, charge)
    if status is None or not connectors:
        return
    number, reported = connectors[0]
    if is_over and reported == ReportedStatus.AVAILABLE:
        return  # The plug was back in its place before the transaction was over.
    place = place_of_evse(session, charge.evse_id)
    plug = Plug(place.identity, place.number, number)
    record_connector_statuses(session, [ConnectorReport(plug, status, at)])
    tell(session, charge)


def _connectors(
    session: Session, charge: ChargingSession
) -> list[tuple[int, ReportedStatus | None]]:
    """Return the plug in use first, where the charger said which that is."""
    rows = session.execute(
        select(Connector.number, Connector.reported_status)
        .where(Connector.evse_id == charge.evse_id)
        .order_by(Connector.number != (charge.connector_number or 0), Connector.number)
    )
    return [(row.number, row.reported_status) for row in rows]


def _note_gaps(
    session: Session, charge: ChargingSession, transaction: OcppTransaction
) -> None:
    """Events are counted from 0 without a gap; at the end, some may be missing."""
    if charge.status == SessionStatus.ACTIVE:
        return
    heard, last = session.execute(
        select(
            func.count(OcppTransactionEvent.seq_no),
            func.max(OcppTransactionEvent.seq_no),
        ).where(OcppTransactionEvent.number == transaction.number)
    ).one()
    if last is not None and heard < last + 1:
        flag(charge, [Flag.SEQUENCE_GAP])
    else:
        unflag(charge, Flag.SEQUENCE_GAP)
