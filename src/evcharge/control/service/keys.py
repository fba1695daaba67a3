"""Which chargers may connect, and who knocked without being known."""

from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from evcharge.control.models import ChargerKey, ParkedCharger
from evcharge.control.queries import parked_charger
from evcharge.control.rules import Boot, KeyHash, Protocol, new_key
from evcharge.kernel.db import changed, insert_into
from evcharge.kernel.live import announce

MOST_PARKED = 200


def issue_key(
    session: Session, charger_id: int, *, by: int | None, now: datetime
) -> str:
    """Give a charger a new key and return it: nobody can read it again.

    The old one is good for nothing from now on; an open connection stays.
    """
    key = new_key()
    set_key(session, charger_id, key, by=by, now=now)
    return key


def set_key(
    session: Session, charger_id: int, key: str, *, by: int | None, now: datetime
) -> None:
    """Let a charger connect with this key; it must be hard to guess."""
    _keep(session, charger_id, KeyHash.of(key.encode()), by=by, now=now)


def withdraw_key(session: Session, charger_id: int) -> None:
    """Let a charger connect no more, until it is given another key."""
    changed(session, delete(ChargerKey).where(ChargerKey.charger_id == charger_id))
    announce(session, f"charger:{charger_id}")


def _keep(
    session: Session, charger_id: int, kept: KeyHash, *, by: int | None, now: datetime
) -> None:
    values = {
        "salt": kept.salt,
        "digest": kept.digest,
        "created_at": now,
        "created_by": by,
    }
    statement = insert_into(session, ChargerKey).values(charger_id=charger_id, **values)
    changed(
        session,
        statement.on_conflict_do_update(index_elements=["charger_id"], set_=values),
    )
    announce(session, f"charger:{charger_id}")


def park(
    session: Session,
    *,
    identity: str,
    protocol: Protocol,
    address: str,
    key: bytes,
    boot: Boot | None,
    now: datetime,
) -> bool:
    """Remember that a charger nobody knows knocked, and with which key.

    Return False when too many wait already. A known knock keeps its first key:
    whoever comes later by the same name is not let in by an operator's yes.
    """
    said = boot or Boot()
    about = {
        "vendor": said.vendor,
        "model": said.model,
        "serial_number": said.serial_number,
    }
    seen = (
        update(ParkedCharger)
        .where(ParkedCharger.identity == identity)
        .values(last_seen_at=now, **(about if boot else {}))
    )
    if changed(session, seen):
        announce(session, "parked")
        return True
    if (session.scalar(select(func.count(ParkedCharger.identity))) or 0) >= MOST_PARKED:
        return False
    kept = KeyHash.of(key)
    row = insert_into(session, ParkedCharger).values(
        identity=identity,
        protocol=protocol,
        address=address[:64],
        salt=kept.salt,
        digest=kept.digest,
        first_seen_at=now,
        last_seen_at=now,
        **about,
    )
    changed(session, row.on_conflict_do_nothing())
    announce(session, "parked")
    return True


def take_in(
    session: Session, identity: str, charger_id: int, *, by: int, now: datetime
) -> None:
    """Let the charger that waits under this name in, as the one just added.

    It keeps the key it knocked with. Raises: ParkedNotFound.
    """
    parked = parked_charger(session, identity)
    _keep(session, charger_id, KeyHash(parked.salt, parked.digest), by=by, now=now)
    turn_away(session, identity)


def turn_away(session: Session, identity: str) -> None:
    """Forget a charger that waits. It may knock again."""
    changed(session, delete(ParkedCharger).where(ParkedCharger.identity == identity))
    announce(session, "parked")
