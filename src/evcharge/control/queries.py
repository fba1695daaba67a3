"""Questions about connections, keys and commands. Nothing here changes anything."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, bindparam, select, tuple_
from sqlalchemy.orm import Session

from evcharge.accounts.models import User
from evcharge.control.models import (
    ChargerCommand,
    ChargerConnection,
    ChargerKey,
    ChargerMessage,
    ChargerNotice,
    ChargerVariable,
    ParkedCharger,
)
from evcharge.control.rules import (
    CommandNotFound,
    Direction,
    KeyHash,
    ParkedNotFound,
)
from evcharge.stations.models import Charger


@dataclass(frozen=True)
class Credentials:
    """What decides whether somebody who says they are this charger comes in."""

    charger_id: int
    identity: str
    location_id: int
    heartbeat_seconds: int
    key_hash: KeyHash | None


def credentials(session: Session, identity: str) -> Credentials | None:
    """Return them for a charger we know; one without a key has no `key_hash`."""
    return credentials_of(session, [identity]).get(identity)


def credentials_of(
    session: Session, identities: Collection[str]
) -> dict[str, Credentials]:
    """Return them for those of the chargers that we know, by identity."""
    rows = session.execute(_CREDENTIALS, {"identities": list(identities)})
    return {
        row.identity: Credentials(
            row.id,
            row.identity,
            row.location_id,
            row.heartbeat_seconds,
            None if row.salt is None else KeyHash(row.salt, row.digest),
        )
        for row in rows
    }


_CREDENTIALS = (
    select(
        Charger.id,
        Charger.identity,
        Charger.location_id,
        Charger.heartbeat_seconds,
        ChargerKey.salt,
        ChargerKey.digest,
    )
    .outerjoin(ChargerKey, ChargerKey.charger_id == Charger.id)
    .where(Charger.identity.in_(bindparam("identities", expanding=True)))
)


def connection_of(session: Session, charger_id: int) -> ChargerConnection | None:
    return session.get(ChargerConnection, charger_id)


def connections_of(
    session: Session, charger_ids: Collection[int]
) -> dict[int, ChargerConnection]:
    """Return the latest connection of each of these chargers that had one."""
    found = session.scalars(
        select(ChargerConnection).where(ChargerConnection.charger_id.in_(charger_ids))
    )
    return {each.charger_id: each for each in found}


def is_connected(session: Session, charger_id: int) -> bool:
    """Whether it has a socket somewhere; its gateway may have died with it."""
    open_one = select(ChargerConnection.charger_id).where(
        ChargerConnection.charger_id == charger_id,
        ChargerConnection.closed_at.is_(None),
    )
    return session.scalar(open_one) is not None


def generations(session: Session, charger_ids: Collection[int]) -> dict[int, int]:
    """Return how often each of these chargers has connected so far."""
    rows = session.execute(
        select(ChargerConnection.charger_id, ChargerConnection.generation).where(
            ChargerConnection.charger_id.in_(charger_ids)
        )
    )
    return {row.charger_id: row.generation for row in rows}


def has_key(session: Session, charger_id: int) -> bool:
    return session.get(ChargerKey, charger_id) is not None


@dataclass(frozen=True)
class KeyLine:
    """When a charger was given its key, and by whom; None: by a program."""

    created_at: datetime
    by: str | None


def key_line_of(session: Session, charger_id: int) -> KeyLine | None:
    row = session.execute(
        select(ChargerKey.created_at, User.name)
        .outerjoin(User, User.id == ChargerKey.created_by)
        .where(ChargerKey.charger_id == charger_id)
    ).one_or_none()
    return None if row is None else KeyLine(*row)


def command_by_id(session: Session, command_id: UUID) -> ChargerCommand:
    """Raises: CommandNotFound."""
    command = session.get(ChargerCommand, command_id)
    if command is None:
        raise CommandNotFound(command_id=command_id)
    return command


@dataclass(frozen=True)
class CommandPosition:
    """Where a list of commands goes on: after this one."""

    created_at: datetime
    id: UUID


def commands_of(
    session: Session,
    charger_id: int,
    *,
    after: CommandPosition | None = None,
    limit: int = 50,
) -> Sequence[ChargerCommand]:
    """Return a charger's commands, the latest first."""
    wanted = select(ChargerCommand).where(ChargerCommand.charger_id == charger_id)
    if after is not None:
        place = tuple_(ChargerCommand.created_at, ChargerCommand.id)
        wanted = wanted.where(place < (after.created_at, after.id))
    newest_first = (ChargerCommand.created_at.desc(), ChargerCommand.id.desc())
    return session.scalars(wanted.order_by(*newest_first).limit(limit)).all()


@dataclass(frozen=True)
class MessageFilter:
    """Which messages of a charger. `containing`: a text in them, in whatever case."""

    charger_id: int
    containing: str = ""
    action: str = ""
    direction: Direction | None = None
    since: datetime | None = None


def messages_of(
    session: Session,
    wanted: MessageFilter,
    *,
    before_id: int | None = None,
    limit: int = 50,
) -> Sequence[ChargerMessage]:
    """Return messages, the latest first, from the one before `before_id` on."""
    statement = _messages(wanted)
    if before_id is not None:
        statement = statement.where(ChargerMessage.id < before_id)
    return session.scalars(statement.limit(limit)).all()


def every_message(
    session: Session, wanted: MessageFilter, *, limit: int
) -> Iterator[ChargerMessage]:
    """Yield them, the latest first, without holding them all."""
    statement = _messages(wanted).limit(limit)
    return iter(session.scalars(statement, execution_options={"yield_per": 500}))


def _messages(wanted: MessageFilter) -> Select[ChargerMessage]:
    found = select(ChargerMessage).where(ChargerMessage.charger_id == wanted.charger_id)
    if wanted.containing:
        found = found.where(
            ChargerMessage.body.icontains(wanted.containing, autoescape=True)
        )
    if wanted.action:
        found = found.where(ChargerMessage.action == wanted.action)
    if wanted.direction is not None:
        found = found.where(ChargerMessage.direction == wanted.direction)
    if wanted.since is not None:
        found = found.where(ChargerMessage.at >= wanted.since)
    return found.order_by(ChargerMessage.id.desc())


def variables_of(session: Session, charger_id: int) -> Sequence[ChargerVariable]:
    return session.scalars(
        select(ChargerVariable)
        .where(ChargerVariable.charger_id == charger_id)
        .order_by(ChargerVariable.name)
    ).all()


def notices_of(
    session: Session, charger_id: int, *, limit: int = 50
) -> Sequence[ChargerNotice]:
    return session.scalars(
        select(ChargerNotice)
        .where(ChargerNotice.charger_id == charger_id)
        .order_by(ChargerNotice.id.desc())
        .limit(limit)
    ).all()


def parked_chargers(session: Session) -> Sequence[ParkedCharger]:
    """Return who waits to be taken in, the latest to knock first."""
    return session.scalars(
        select(ParkedCharger).order_by(ParkedCharger.last_seen_at.desc())
    ).all()


def parked_charger(session: Session, identity: str) -> ParkedCharger:
    """Raises: ParkedNotFound."""
    parked = session.get(ParkedCharger, identity)
    if parked is None:
        raise ParkedNotFound(identity=identity)
    return parked
