"""Carries commands to the chargers that are connected here, and their answers back.

A command is marked as sent before it is, and never sent again: whoever dies between
the two has at worst asked for nothing.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from evcharge.control.models import ChargerCommand
from evcharge.control.rules import (
    ANSWER_WAITS,
    NO_ANSWER,
    CommandKind,
    CommandState,
    Protocol,
)
from evcharge.control.service import answer_command, take_commands
from evcharge.gateway.actions import Answer, Call, Read
from evcharge.gateway.commits import GroupCommit, StaleConnection
from evcharge.gateway.errors import CallFailed
from evcharge.gateway.registry import Registry
from evcharge.gateway.schemas import check_request, check_response
from evcharge.gateway.socket import Asked, Connected, ConnectionLost
from evcharge.gateway.wire import Failure
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import DomainError, Unavailable
from evcharge.kernel.metrics import CHARGER_COMMANDS

log = logging.getLogger(__name__)

POLL_SECONDS = 2
RETRIES = 3  # Of writing an answer down, each as patient as a charger's message.

OnAnswered = Callable[[Session, ChargerCommand, datetime], None]


@dataclass(frozen=True)
class Words:
    """How a version puts commands, and how it answers them."""

    calls: Mapping[CommandKind, Call]
    read: Mapping[CommandKind, Read]


class Sender:
    """Belongs to the event loop."""

    def __init__(
        self,
        registry: Registry,
        commits: GroupCommit,
        *,
        words: Mapping[Protocol, Words],
        on_answered: OnAnswered,
    ) -> None:
        self._registry = registry
        self._commits = commits
        self._words = words
        self._on_answered = on_answered
        self._woken = asyncio.Event()
        self._queues: dict[int, deque[ChargerCommand]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Look for commands when woken, and now and then, until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), POLL_SECONDS)
            self._woken.clear()
            if len(self._registry):
                with suppress(Unavailable):  # The next look may be luckier.
                    await self._send_waiting()

    async def _send_waiting(self) -> None:
        take = partial(take_commands, gateway=self._registry.gateway, now=utc_now())
        for command in await self._commits.add(single=take):
            queue = self._queues.get(command.charger_id)
            if queue is not None:
                queue.append(command)
                continue
            self._queues[command.charger_id] = deque([command])
            task = asyncio.create_task(self._serve(command.charger_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, charger_id: int) -> None:
        """Give one charger its commands, one after the other."""
        queue = self._queues[charger_id]
        try:
            while queue:
                await self._carry(queue.popleft())
        except Exception:
            log.exception("a command to charger %s failed", charger_id)
        finally:
            del self._queues[charger_id]

    async def _carry(self, command: ChargerCommand) -> None:
        charger = self._registry.find(command.charger_id)
        asked: Asked | None = None
        try:
            if charger is None:
                raise ConnectionLost
            words = self._words[charger.protocol]
            action, payload = words.calls[command.kind](command, charger)
            asked = Asked(action)
            answer = await self._ask(charger, asked, payload, words.read[command.kind])
        except (KeyError, DomainError) as error:
            answer = Answer(CommandState.REJECTED, _reason(error))
        except ConnectionLost:
            answer = Answer(CommandState.TIMED_OUT, "The connection was lost.")
        except TimeoutError:
            answer = Answer(CommandState.TIMED_OUT, NO_ANSWER)
        CHARGER_COMMANDS.labels(command.kind.value, answer.state.value).inc()
        await self._write_down(command.id, answer, asked)

    async def _ask(
        self, charger: Connected, asked: Asked, payload: Any, read: Read
    ) -> Answer:
        """Raises: ConnectionLost, TimeoutError."""
        try:
            check_request(charger.protocol, asked.action, payload)
        except CallFailed as failed:
            log.error("our %s breaks the protocol: %s", asked.action, failed)
            return Answer(CommandState.REJECTED, "The charger cannot be asked that.")
        async with asyncio.timeout(ANSWER_WAITS.total_seconds()):
            said = await charger.call(asked, payload)
        if isinstance(said, Failure):
            return Answer(CommandState.REJECTED, f"{said.code}: {said.description}")
        try:
            check_response(charger.protocol, asked.action, said.payload)
        except CallFailed as failed:
            return Answer(CommandState.REJECTED, f"Not understood: {failed}")
        return read(said.payload)

    async def _write_down(
        self, command_id: UUID, answer: Answer, asked: Asked | None
    ) -> None:
        write = partial(
            _record_answer,
            command_id=command_id,
            answer=answer,
            on_answered=self._on_answered,
            at=utc_now(),
        )
        message = asked.message if asked else None
        for _ in range(RETRIES):
            try:
                await self._commits.add(single=write, message=message)
            except Unavailable:
                continue
            except (DomainError, StaleConnection) as error:
                log.error("an answer to a command could not be kept: %s", error)
            return


def _record_answer(
    session: Session,
    *,
    command_id: UUID,
    answer: Answer,
    on_answered: OnAnswered,
    at: datetime,
) -> None:
    command = answer_command(
        session,
        command_id,
        state=answer.state,
        answer=answer.word,
        details=answer.details,
        at=at,
    )
    if command is not None:
        on_answered(session, command, at)


def _reason(error: Exception) -> str:
    if isinstance(error, DomainError):
        return error.message
    return "This version of OCPP has no such command."
