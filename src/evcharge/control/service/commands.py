"""Commands to chargers, through a table: any node queues, the socket's node sends."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from evcharge.control.asked import check_command
from evcharge.control.models import ChargerCommand, ChargerConnection
from evcharge.control.rules import (
    ANSWER_WAITS,
    COMMAND_WAITS,
    NO_ANSWER,
    CommandKind,
    CommandState,
)
from evcharge.kernel.ids import new_id
from evcharge.kernel.live import announce
from evcharge.stations.queries import plugs_of

BATCH = 200
# After its answer is overdue by that much, no gateway is left that waits for it.
GATEWAY_DIED = 2 * ANSWER_WAITS
NOT_THERE = "The charger was not connected."


def queue_command(
    session: Session,
    *,
    charger_id: int,
    kind: CommandKind,
    arguments: dict[str, Any],
    by: int | None,
    now: datetime,
    session_id: UUID | None = None,
    booking_id: UUID | None = None,
    waits: timedelta = COMMAND_WAITS,
) -> ChargerCommand:
    """Ask a charger for something. It is sent once at most, within `waits`."""
    command = ChargerCommand(
        id=new_id(),
        charger_id=charger_id,
        kind=kind,
        arguments=arguments,
        state=CommandState.QUEUED,
        created_at=now,
        created_by=by,
        expires_at=now + waits,
        session_id=session_id,
        booking_id=booking_id,
    )
    session.add(command)
    session.flush()
    announce(session, f"command:{charger_id}")
    announce(session, f"charger:{charger_id}")
    return command


def ask_charger(
    session: Session,
    *,
    charger_id: int,
    kind: CommandKind,
    arguments: Mapping[str, Any],
    by: int | None,
    now: datetime,
) -> ChargerCommand:
    """As `queue_command`, for what somebody made up themselves. Raises: BadCommand."""
    return queue_command(
        session,
        charger_id=charger_id,
        kind=kind,
        arguments=check_command(kind, arguments, plugs_of(session, charger_id)),
        by=by,
        now=now,
    )


def take_commands(
    session: Session, *, gateway: str, now: datetime
) -> list[ChargerCommand]:
    """Mark what waits for chargers of this gateway as sent; return it, oldest first."""
    waiting = session.scalars(
        select(ChargerCommand)
        .join(
            ChargerConnection, ChargerConnection.charger_id == ChargerCommand.charger_id
        )
        .where(
            ChargerConnection.gateway == gateway,
            ChargerConnection.closed_at.is_(None),
            ChargerCommand.state == CommandState.QUEUED,
            ChargerCommand.expires_at > now,
        )
        .order_by(ChargerCommand.created_at, ChargerCommand.id)
        .limit(BATCH)
        .with_for_update(of=ChargerCommand, skip_locked=True)
    ).all()
    for command in waiting:
        command.state = CommandState.SENT
        command.sent_at = now
        command.expires_at = now + GATEWAY_DIED
        announce(session, f"charger:{command.charger_id}")
    session.flush()
    return list(waiting)


def answer_command(
    session: Session,
    command_id: UUID,
    *,
    state: CommandState,
    answer: str,
    details: dict[str, Any],
    at: datetime,
) -> ChargerCommand | None:
    """Write down what a charger said to a command that was sent; the first word counts.

    Return None when it has been answered, or given up, before.
    """
    answered = (
        update(ChargerCommand)
        .where(
            ChargerCommand.id == command_id, ChargerCommand.state == CommandState.SENT
        )
        .values(
            state=state, answer=answer[:200], answer_details=details, answered_at=at
        )
        .returning(ChargerCommand)
        .execution_options(populate_existing=True)
    )
    command = session.scalar(answered)
    if command is not None:
        announce(session, f"charger:{command.charger_id}")
    return command


def expire_commands(session: Session, *, now: datetime) -> Sequence[ChargerCommand]:
    """Give up on what waited too long, at most a batch, and return it."""
    overdue = session.scalars(
        select(ChargerCommand)
        .where(
            ChargerCommand.state.in_([CommandState.QUEUED, CommandState.SENT]),
            ChargerCommand.expires_at <= now,
        )
        .order_by(ChargerCommand.expires_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    for command in overdue:
        was_sent = command.state == CommandState.SENT
        command.state = CommandState.TIMED_OUT
        command.answer = NO_ANSWER if was_sent else NOT_THERE
        command.answered_at = now
        announce(session, f"charger:{command.charger_id}")
    session.flush()
    return overdue
