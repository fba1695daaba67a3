"""The gateway of chargers, put together: who may in, who is in, what is said."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import NoReturn, TypeVar

from sqlalchemy.orm import Session
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.utils import ClientDisconnected

from evcharge.control.models import ChargerCommand
from evcharge.control.queries import generations
from evcharge.control.rules import Protocol
from evcharge.control.service import (
    Opening,
    close_connection,
    close_connections_of,
    open_connections,
)
from evcharge.gateway.actions import Actions
from evcharge.gateway.admission import Admission, Knock, Known, Refused, knock
from evcharge.gateway.commits import GroupCommit, Item, StaleConnection
from evcharge.gateway.complaints import Complaints
from evcharge.gateway.configuration import noted
from evcharge.gateway.conversation import converse
from evcharge.gateway.parked import MOST_PARKED, Parked
from evcharge.gateway.registry import NORMAL, Registry, opened_elsewhere
from evcharge.gateway.sender import OnAnswered, Sender, Words
from evcharge.gateway.socket import Connected
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.errors import DomainError, Unavailable
from evcharge.kernel.settings import Settings
from evcharge.stations.service import record_seen

log = logging.getLogger(__name__)

T = TypeVar("T")
Chore = Callable[[], Awaitable[None]]

PROTOCOL_ERROR = 1002
LOOK_SECONDS = 5  # How long a newer socket elsewhere may go unnoticed.
SKEW = timedelta(seconds=60)  # Between the clocks of gateways.
SEEN_SECONDS = 20
# An open socket has answered a ping within 40 s, so its charger is there. That is
# written less often than what it says, for most of them say nothing.
QUIET_SECONDS = 60
SEEN_AT_ONCE = 500
STOP_SECONDS = 3


@dataclass(frozen=True)
class Version:
    """What the gateway knows of one version of OCPP."""

    actions: Actions
    words: Words


class Gateway:
    """Belongs to the event loop it is started on; it blocks in threads only."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        versions: Mapping[Protocol, Version],
        on_answered: OnAnswered,
    ) -> None:
        self._proxies = settings.proxies
        self._database = database
        self._versions = versions
        self._commits = GroupCommit(
            database.transaction,
            partial(database.perform, repeatable=True),
            before=refuse_stale,
            threads=settings.committers,
        )
        self._lookups = GroupCommit(
            database.reading, partial(_look, database), name="lookups"
        )
        self._admission = Admission(
            self._lookups, may_park=settings.parks_unknown_chargers
        )
        self._registry = Registry()
        self._complaints = Complaints()
        self._sender = Sender(
            self._registry,
            self._commits,
            words={protocol: each.words for protocol, each in versions.items()},
            on_answered=partial(_on_answered, on_answered),
        )
        self._parked: set[Parked] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        for group in (self._commits, self._lookups):
            group.start()
        loops = (
            self._sender.run(),
            self._repeat(self._look_elsewhere, LOOK_SECONDS),
            self._repeat(self._write_seen, SEEN_SECONDS),
        )
        self._tasks = {asyncio.create_task(each) for each in loops}

    def ask_to_stop(self) -> None:
        """Take nobody in any more; the server closes the sockets."""
        self._is_stopping = True

    async def stop(self) -> None:
        """Store what is left, and say that nobody is connected here."""
        self._is_stopping = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        close = partial(
            close_connections_of, gateway=self._registry.gateway, at=utc_now()
        )
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._commits.add(single=close)
        for group in (self._commits, self._lookups):
            await asyncio.to_thread(group.stop, seconds=STOP_SECONDS)

    def hear(self, topics: list[str]) -> None:
        """Take hints, from any thread."""
        mine = [
            each
            for each in topics
            if each == "parked" or each.startswith(("command:", "connection:"))
        ]
        loop = self._loop
        if mine and loop is not None and not loop.is_closed():
            with suppress(RuntimeError):  # It closed just now.
                loop.call_soon_threadsafe(self._heed, mine)

    def _heed(self, topics: list[str]) -> None:
        kinds = {each.partition(":")[0] for each in topics}
        if "command" in kinds:
            self._sender.wake()
        if "connection" in kinds and any(map(self._is_here, topics)):
            self._soon(self._look_elsewhere)
        if "parked" in kinds and self._parked:
            self._soon(self._let_parked_in)

    def _is_here(self, topic: str) -> bool:
        kind, _, number = topic.partition(":")
        found = self._registry.find(int(number)) if number.isdigit() else None
        return kind == "connection" and found is not None

    # ── one socket ────────────────────────────────────────────────────────────────

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve `/ocpp/<identity>`."""
        await receive()  # That somebody wants to connect.
        try:
            who, known = await self._admitted(scope)
        except Refused as refused:
            self._complaints.about(scope["path"], refused.reason)
            await _turn_away(send, refused.status)
        offered = scope["subprotocols"]
        protocol = next((each for each in self._versions if each in offered), None)
        if protocol is None:
            # OCPP-J 1.6, section 3.3: finish the handshake without one, then close.
            await send({"type": "websocket.accept", "subprotocol": None})
            await send({"type": "websocket.close", "code": PROTOCOL_ERROR})
        elif known is None:
            await self._keep_waiting(who, protocol, receive, send)
        else:
            await self._serve(who, known, protocol, receive, send)

    async def _admitted(self, scope: Scope) -> tuple[Knock, Known | None]:
        """Raises: Refused."""
        if self._is_stopping:
            raise Refused(503, "stopping")
        who = knock(scope, proxies=self._proxies)
        try:
            known = await self._admission.admit(who)
        except DomainError as error:
            raise Refused(503, "unavailable") from error
        if known is None and len(self._parked) >= MOST_PARKED:
            raise Refused(503, "too_many_parked")
        return who, known

    async def _serve(
        self,
        who: Knock,
        known: Known,
        protocol: Protocol,
        receive: Receive,
        send: Send,
    ) -> None:
        try:
            generation = await self._opened(who, known, protocol)
        except DomainError:
            await _turn_away(send, 503)
        charger = Connected(
            known.credentials,
            plugs=known.plugs,
            protocol=protocol,
            generation=generation,
            commits=self._commits,
            send=send,
        )
        actions = self._versions[protocol].actions
        try:
            await send({"type": "websocket.accept", "subprotocol": protocol.value})
            await self._registry.add(charger)
            self._sender.wake()
            await converse(charger, receive, actions, self._complaints)
        finally:
            charger.end()
            self._registry.remove(charger)
            self._note_closed(charger)

    async def _opened(self, who: Knock, known: Known, protocol: Protocol) -> int:
        opening = Opening(
            known.credentials.charger_id,
            self._registry.gateway,
            protocol,
            who.address,
            utc_now(),
        )
        generation: int = await self._commits.add(
            record=open_connections, value=opening
        )
        return generation

    def _note_closed(self, charger: Connected) -> None:
        if self._is_stopping:
            return  # All at once, in the end.
        closed = (charger.charger_id, charger.generation, utc_now())
        added = self._commits.add(record=_close_connections, value=closed)
        added.add_done_callback(_ignore_outcome)

    async def _keep_waiting(
        self, who: Knock, protocol: Protocol, receive: Receive, send: Send
    ) -> None:
        parked = Parked(
            identity=who.identity,
            address=who.address,
            key=who.key or b"",
            protocol=protocol,
            commits=self._commits,
            send=send,
        )
        await send({"type": "websocket.accept", "subprotocol": protocol.value})
        self._parked.add(parked)
        try:
            await parked.wait(receive)
        finally:
            self._parked.discard(parked)

    # ── now and then ──────────────────────────────────────────────────────────────

    async def _look_elsewhere(self) -> None:
        """Close the sockets of chargers that have come back to another gateway."""
        look = partial(
            opened_elsewhere,
            gateway=self._registry.gateway,
            since=utc_now() - SKEW,
        )
        if len(self._registry):
            await self._registry.close_older(await self._lookups.add(single=look))

    async def _write_seen(self) -> None:
        now = monotonic()
        due = [
            each
            for each in self._registry
            if each.is_heard or now - each.noted_at >= QUIET_SECONDS
        ]
        for start in range(0, len(due), SEEN_AT_ONCE):
            some = due[start : start + SEEN_AT_ONCE]
            for charger in some:
                charger.is_heard, charger.noted_at = False, now
            ids = [charger.charger_id for charger in some]
            await self._commits.add(
                single=partial(record_seen, charger_ids=ids, at=utc_now())
            )

    async def _let_parked_in(self) -> None:
        waiting = list(self._parked)
        looks = (self._admission.is_known(parked.identity) for parked in waiting)
        for parked, is_known in zip(waiting, await asyncio.gather(*looks), strict=True):
            if is_known:
                await parked.close(NORMAL, "You are known now: connect again.")

    async def _repeat(self, task: Chore, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            await _once(task)

    def _soon(self, chore: Chore) -> None:
        task = asyncio.create_task(_once(chore))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _once(chore: Chore) -> None:
    try:
        await chore()
    except Unavailable:
        log.info("a chore of the gateway waits for the database")
    except Exception:
        log.exception("a chore of the gateway failed; it is done again soon")


def refuse_stale(session: Session, items: list[Item]) -> None:
    """Record nothing of what came by a socket that has been replaced since."""
    held = [each for each in items if each.charger_id is not None]
    if not held:
        return
    newest = generations(session, {each.charger_id for each in held if each.charger_id})
    for item in held:
        if item.charger_id and newest.get(item.charger_id, 0) > item.generation:
            item.error = StaleConnection()


def _close_connections(
    session: Session, closed: list[tuple[int, int, datetime]]
) -> None:
    for charger_id, generation, at in sorted(closed):
        close_connection(session, charger_id=charger_id, generation=generation, at=at)


def _look(database: Database, action: Callable[[Session], T]) -> T:
    with database.reading() as session:
        return action(session)


def _on_answered(
    then: OnAnswered, session: Session, command: ChargerCommand, at: datetime
) -> None:
    noted(session, command, at)
    then(session, command, at)


def _ignore_outcome(future: "asyncio.Future[object]") -> None:
    if not future.cancelled():
        future.exception()


async def _turn_away(send: Send, status: int) -> NoReturn:
    headers = [(b"www-authenticate", b'Basic realm="ocpp"')] if status == 401 else []
    start = {"type": "websocket.http.response.start"}
    await send(start | {"status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b""})
    # Returning would be logged as an error: uvicorn 0.54 misses a handshake.
    raise ClientDisconnected
