"""Meter values: many at once, the register judged, the latest kept beside."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, func, insert, or_, select, tuple_
from sqlalchemy.orm import Session, raiseload

from evcharge.charging.models import (
    ChargingSession,
    MeterSample,
    OcppTransaction,
    SessionLatest,
)
from evcharge.charging.rules import Flag, Metered, Reading, SessionStatus
from evcharge.charging.service.changes import flag
from evcharge.charging.service.ending import meter_of, show_meter
from evcharge.kernel.db import insert_into
from evcharge.kernel.live import announce
from evcharge.stations.models import Evse


def record_metered(session: Session, batch: Sequence[Metered], *, at: datetime) -> None:
    """Keep meter values of any number of chargers, in a few statements for them all.

    Values of a transaction go to its session; those of none, to what charges there.
    """
    wanted = [each for each in batch if each.readings]
    sessions = _sessions_of(session, wanted)
    readings: dict[UUID, list[Reading]] = defaultdict(list)
    for each in wanted:
        session_id = sessions.get(_key(each))
        if session_id is not None:
            readings[session_id] += each.readings
    _keep(session, readings, at=at)


def add_readings(
    session: Session,
    charge: ChargingSession,
    readings: Sequence[Reading],
    *,
    at: datetime,
) -> None:
    """Keep readings of a session that is locked and in hand."""
    if not readings:
        return
    keep_samples(session, charge, readings, at=at)
    _show(charge, readings)
    _note_latest(session, {charge.id: readings}, at=at)
    announce(session, f"session:{charge.id}")


def add_history(
    session: Session,
    charge: ChargingSession,
    readings: Sequence[Reading],
    *,
    at: datetime,
) -> None:
    """Keep readings that tell a whole charge again, from its begin to its end.

    Followed once more, the meter would seem to have been reset in between, and the
    driver would pay twice.
    """
    if readings:
        keep_samples(session, charge, readings, at=at)
        _note_latest(session, {charge.id: readings}, at=at)


def keep_samples(
    session: Session,
    charge: ChargingSession,
    readings: Sequence[Reading],
    *,
    at: datetime,
) -> None:
    """Keep readings for the record; what the session says of itself stays."""
    if readings:
        session.execute(_SAMPLE, [_sample(charge.id, each, at) for each in readings])


Key = tuple[int, int, int | None, str | None]


def _key(metered: Metered) -> Key:
    return (
        metered.charger_id,
        metered.evse_number,
        metered.number,
        metered.transaction_ref,
    )


def _sessions_of(session: Session, batch: Sequence[Metered]) -> Mapping[Key, UUID]:
    named = _named(session, batch)
    by_number = {(row.charger_id, row.number): row.session_id for row in named}
    by_ref = {(row.charger_id, row.transaction_ref): row.session_id for row in named}
    of_none = [each for each in batch if _names_nothing(each)]
    by_evse = _open_on(session, of_none)
    found: dict[Key, UUID] = {}
    for each in batch:
        place = (each.charger_id, each.evse_number)
        session_id = (
            by_evse.get(place)
            if _names_nothing(each)
            else by_ref.get((each.charger_id, each.transaction_ref))
            if each.transaction_ref is not None
            else by_number.get((each.charger_id, each.number or 0))
        )
        if session_id is not None:
            found[_key(each)] = session_id
    return found


def _names_nothing(metered: Metered) -> bool:
    # -1 and 0 are what chargers say that never got a number.
    return metered.transaction_ref is None and (metered.number or 0) <= 0


def _named(session: Session, batch: Sequence[Metered]) -> Sequence[OcppTransaction]:
    numbers = {each.number for each in batch if not _names_nothing(each)} - {None}
    refs = {
        (each.charger_id, each.transaction_ref)
        for each in batch
        if each.transaction_ref is not None
    }
    if not numbers and not refs:
        return []
    named = tuple_(OcppTransaction.charger_id, OcppTransaction.transaction_ref)
    return session.scalars(
        select(OcppTransaction).where(
            or_(OcppTransaction.number.in_(numbers), named.in_(refs))
        )
    ).all()


def _open_on(session: Session, batch: Sequence[Metered]) -> dict[tuple[int, int], UUID]:
    if not batch:
        return {}
    rows = session.execute(
        select(Evse.charger_id, Evse.number, Evse.open_session_id).where(
            tuple_(Evse.charger_id, Evse.number).in_(
                {(each.charger_id, each.evse_number) for each in batch}
            ),
            Evse.open_session_id.is_not(None),
        )
    )
    return {(row.charger_id, row.number): row.open_session_id for row in rows}


def _keep(
    session: Session, readings: Mapping[UUID, Sequence[Reading]], *, at: datetime
) -> None:
    if not readings:
        return
    session.execute(
        _SAMPLE,
        [
            _sample(session_id, reading, at)
            for session_id, each in readings.items()
            for reading in each
        ],
    )
    # What has ended is billed by its stop; late values are only kept.
    charging = session.scalars(
        select(ChargingSession)
        .where(
            ChargingSession.id.in_(readings.keys()),
            ChargingSession.status == SessionStatus.ACTIVE,
        )
        .order_by(ChargingSession.id)
        .with_for_update()
        .options(raiseload("*"))
        .execution_options(populate_existing=True)
    ).all()
    for charge in charging:
        _show(charge, readings[charge.id])
        announce(session, f"session:{charge.id}")
    session.flush()
    _note_latest(session, {each.id: readings[each.id] for each in charging}, at=at)


def _show(charge: ChargingSession, readings: Iterable[Reading]) -> None:
    meter = meter_of(charge)
    for reading in readings:
        if reading.energy_wh is not None:
            meter = meter.reads(reading.energy_wh)
    if meter.has_decreased:
        flag(charge, [Flag.METER_DECREASED])
    show_meter(charge, meter)


def _sample(session_id: UUID, reading: Reading, at: datetime) -> dict[str, Any]:
    return {
        "session_id": session_id,
        "at": at,
        "measured_at": reading.measured_at,
        "energy_wh": reading.energy_wh,
        "power_w": reading.power_w,
        "soc_percent": reading.soc_percent,
    }


_SAMPLE = insert(cast(Table, MeterSample.__table__))


def _note_latest(
    session: Session, readings: Mapping[UUID, Sequence[Reading]], *, at: datetime
) -> None:
    """Keep the latest of each kind of value; a reading may have only some of them."""
    rows = [
        {
            "session_id": session_id,
            "at": at,
            "power_w": _last(each.power_w for each in readings[session_id]),
            "soc_percent": _last(each.soc_percent for each in readings[session_id]),
        }
        for session_id in sorted(readings)
    ]
    if not rows:
        return
    statement = insert_into(session, SessionLatest)
    new = statement.excluded
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["session_id"],
            set_={
                "at": new.at,
                "power_w": func.coalesce(new.power_w, SessionLatest.power_w),
                "soc_percent": func.coalesce(
                    new.soc_percent, SessionLatest.soc_percent
                ),
            },
        ),
        rows,
    )


def _last(values: Iterable[int | None]) -> int | None:
    return next(
        (each for each in reversed(list(values)) if each is not None),
        None,
    )
