"""One socket for each charger: the newest. Generations tell which that is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, update
from sqlalchemy.orm import Session

from evcharge.control.models import ChargerConnection
from evcharge.control.rules import Boot, Protocol
from evcharge.kernel.db import changed, insert_into
from evcharge.kernel.live import announce
from evcharge.stations.models import Charger
from evcharge.stations.service import record_seen


@dataclass(frozen=True)
class Opening:
    """A socket that a gateway has just been asked for."""

    charger_id: int
    gateway: str
    protocol: Protocol
    address: str
    at: datetime


def open_connection(
    session: Session,
    *,
    charger_id: int,
    gateway: str,
    protocol: Protocol,
    address: str,
    at: datetime,
) -> int:
    """Return the generation of this connection; older ones are dead from now on."""
    return open_connections(
        session, [Opening(charger_id, gateway, protocol, address, at)]
    )[0]


def open_connections(session: Session, openings: Sequence[Opening]) -> list[int]:
    """Return the generation of each; of two of one charger the later is the newer.

    After a power cut thousands come at once: a statement for all of them.
    """
    latest = {opening.charger_id: opening for opening in openings}
    times = Counter(opening.charger_id for opening in openings)
    newest = _upserted(
        session, [(each, times[each.charger_id]) for each in latest.values()]
    )
    record_seen(session, list(latest), at=max(each.at for each in openings))
    for charger_id in latest:
        announce(session, f"connection:{charger_id}")
        announce(session, f"charger:{charger_id}")
    generations = []
    for opening in reversed(openings):
        generations.append(newest[opening.charger_id])
        newest[opening.charger_id] -= 1
    return generations[::-1]


def _upserted(
    session: Session, counted: Sequence[tuple[Opening, int]]
) -> dict[int, int]:
    rows = [
        {
            "charger_id": opening.charger_id,
            "generation": times,
            "gateway": opening.gateway,
            "protocol": opening.protocol,
            "address": opening.address[:64],
            "opened_at": opening.at,
            "closed_at": None,
            "booted_at": None,
            "serial_number": "",
            "firmware_version": "",
        }
        for opening, times in counted
    ]
    statement = insert_into(session, ChargerConnection)
    given = statement.excluded
    newer = statement.on_conflict_do_update(
        index_elements=["charger_id"],
        set_={
            "generation": ChargerConnection.generation + given.generation,
            "gateway": given.gateway,
            "protocol": given.protocol,
            "address": given.address,
            "opened_at": given.opened_at,
            "closed_at": None,
        },
    ).returning(ChargerConnection.charger_id, ChargerConnection.generation)
    opened = session.execute(newer, rows)
    return {row.charger_id: row.generation for row in opened}


def close_connection(
    session: Session, *, charger_id: int, generation: int, at: datetime
) -> None:
    """Note that this socket has gone; does nothing when a newer one exists."""
    closed = (
        update(ChargerConnection)
        .where(
            ChargerConnection.charger_id == charger_id,
            ChargerConnection.generation == generation,
            ChargerConnection.closed_at.is_(None),
        )
        .values(closed_at=at)
    )
    if changed(session, closed):
        announce(session, f"charger:{charger_id}")


def close_connections_of(session: Session, gateway: str, *, at: datetime) -> None:
    """Note that this process holds no sockets any more."""
    changed(
        session,
        update(ChargerConnection)
        .where(
            ChargerConnection.gateway == gateway, ChargerConnection.closed_at.is_(None)
        )
        .values(closed_at=at),
    )


def record_boot(session: Session, charger_id: int, boot: Boot, *, at: datetime) -> None:
    """Keep what a charger says of itself; what an operator wrote of it stays."""
    changed(
        session,
        update(ChargerConnection)
        .where(ChargerConnection.charger_id == charger_id)
        .values(
            booted_at=at,
            serial_number=boot.serial_number[:50],
            firmware_version=boot.firmware_version[:50],
        ),
    )
    changed(
        session,
        update(Charger)
        .where(Charger.id == charger_id)
        .values(
            vendor=case((Charger.vendor == "", boot.vendor[:50]), else_=Charger.vendor),
            model=case((Charger.model == "", boot.model[:50]), else_=Charger.model),
        ),
    )
    announce(session, f"charger:{charger_id}")
