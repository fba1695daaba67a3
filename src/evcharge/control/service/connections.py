"""One socket for each charger: the newest. Generations tell which that is."""

from datetime import datetime

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from evcharge.control.models import ChargerConnection
from evcharge.control.rules import Boot, Protocol
from evcharge.kernel.db import changed, insert_into
from evcharge.kernel.live import announce
from evcharge.stations.models import Charger
from evcharge.stations.service import record_seen


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
    values = {
        "gateway": gateway,
        "protocol": protocol,
        "address": address[:64],
        "opened_at": at,
        "closed_at": None,
    }
    statement = insert_into(session, ChargerConnection).values(
        charger_id=charger_id,
        generation=1,
        serial_number="",
        firmware_version="",
        **values,
    )
    newer = statement.on_conflict_do_update(
        index_elements=["charger_id"],
        set_={**values, "generation": ChargerConnection.generation + 1},
    ).returning(ChargerConnection.generation)
    generation = session.scalars(newer).one()
    record_seen(session, [charger_id], at=at)
    announce(session, f"connection:{charger_id}")
    announce(session, f"charger:{charger_id}")
    return generation


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


def is_newest(session: Session, charger_id: int, generation: int) -> bool:
    """Whether no other socket of this charger has been opened since.

    Locks the answer until the end of the transaction: what a charger said by an old
    socket never mixes with what it says by a new one.
    """
    newest = session.scalar(
        select(ChargerConnection.generation)
        .where(ChargerConnection.charger_id == charger_id)
        .with_for_update()
    )
    return newest == generation
