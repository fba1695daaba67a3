"""A conversation with the gateway from a charger's side, and what it left behind."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

import make
from charger import Charger, connected
from evcharge.accounts.models import RfidTag
from evcharge.charging.models import ChargingSession, MeterSample
from evcharge.control.models import (
    ChargerCommand,
    ChargerConnection,
    ChargerNotice,
    ChargerVariable,
)
from evcharge.control.rules import CommandKind, CommandState
from evcharge.control.service import queue_command
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.stations.models import Charger as ChargerRow
from evcharge.stations.models import Connector, Evse
from official import check_answer, check_call

CARD = "04A1B2C3"
PATIENCE_SECONDS = 10
WAITING = (CommandState.QUEUED, CommandState.SENT)


def clock(ago: timedelta = timedelta(0)) -> str:
    """A charger's time, which is right."""
    return (datetime.now(UTC) - ago).isoformat().replace("+00:00", "Z")


@dataclass
class Talk:
    """Charger `CP-1`, connected: EVSE 1 with a CCS2 and a CHAdeMO plug, EVSE 2."""

    charger: Charger
    protocol: str
    charger_id: int
    database: Database

    def call(self, action: str, payload: Any) -> Any:
        """Return the answer, which must be as the protocol has it."""
        answer = self.charger.call(action, payload)
        check_answer(self.protocol, action, answer)
        return answer

    def next_asked(self) -> list[Any]:
        """Return the next call of the gateway, which must be as the protocol has it."""
        call = self.charger.next_asked()
        check_call(self.protocol, call[2], call[3])
        return call

    def fail(self, action: str, payload: Any) -> str:
        return self.charger.fail(action, payload)

    def rows(self, model: Any, *conditions: Any) -> list[Any]:
        with self.database.reading() as session:
            found = session.scalars(
                select(model).where(*conditions).order_by(*model.__mapper__.primary_key)
            )
            return list(found)

    # ── what is stored ───────────────────────────────────────────────────────────

    def plug(self, evse: int = 1, connector: int = 1) -> Connector:
        with self.database.reading() as session:
            return session.scalars(
                select(Connector)
                .join(Evse)
                .where(
                    Evse.charger_id == self.charger_id,
                    Evse.number == evse,
                    Connector.number == connector,
                )
            ).one()

    def notices(self) -> list[tuple[str, str]]:
        of_it = ChargerNotice.charger_id == self.charger_id
        return [(each.kind, each.title) for each in self.rows(ChargerNotice, of_it)]

    def notice(self) -> ChargerNotice:
        (only,) = self.rows(ChargerNotice, ChargerNotice.charger_id == self.charger_id)
        return only

    def variables(self) -> dict[str, tuple[str | None, bool]]:
        of_it = ChargerVariable.charger_id == self.charger_id
        return {
            each.name: (each.value, each.is_readonly)
            for each in self.rows(ChargerVariable, of_it)
        }

    def connection(self) -> ChargerConnection:
        (only,) = self.rows(
            ChargerConnection, ChargerConnection.charger_id == self.charger_id
        )
        return only

    def sessions(self) -> list[ChargingSession]:
        return self.rows(ChargingSession)

    def session(self) -> ChargingSession:
        (only,) = self.sessions()
        return only

    def samples(self) -> list[tuple[int | None, int | None, int | None]]:
        return [
            (each.energy_wh, each.power_w, each.soc_percent)
            for each in self.rows(MeterSample)
        ]

    # ── commands ─────────────────────────────────────────────────────────────────

    def queue(self, kind: CommandKind, /, **arguments: Any) -> UUID:
        """Ask the charger for something, as somebody in the console would."""
        with self.database.transaction() as session:
            by = make.a_user(session, role="admin").id
            return queue_command(
                session,
                charger_id=self.charger_id,
                kind=kind,
                arguments=arguments,
                by=by,
                now=utc_now(),
            ).id

    def command(self, command_id: UUID) -> ChargerCommand:
        """Return a command once it has been answered."""

        def answered() -> ChargerCommand | None:
            (row,) = self.rows(ChargerCommand, ChargerCommand.id == command_id)
            return None if row.state in WAITING else row

        return eventually(answered)

    def ask(
        self, kind: CommandKind, answer: Any, /, **arguments: Any
    ) -> tuple[str, Any, ChargerCommand]:
        """Queue a command and answer it; return the call, and what became of it."""
        command_id = self.queue(kind, **arguments)
        call = self.next_asked()
        self.charger.answer(call, answer)
        return call[2], call[3], self.command(command_id)

    def refused(self, kind: CommandKind, /, **arguments: Any) -> str:
        """Queue a command that never reaches the charger; return why."""
        row = self.command(self.queue(kind, **arguments))
        assert row.state == CommandState.REJECTED
        return row.answer


def eventually(look: Callable[[], Any]) -> Any:
    """Return what `look` finds as soon as it finds something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := look()) is None:
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)
    return found


@contextmanager
def talking(served: Any, protocol: str) -> Iterator[Talk]:
    """Charger `CP-1` with three plugs, and somebody who has a card."""
    database = served.database
    charger_id = served.add_charger("CP-1", kinds=("ccs2", "chademo"))
    with database.transaction() as session:
        station = session.get_one(ChargerRow, charger_id)
        station.evses.append(an_evse_two())
        driver = make.a_user(session)
        session.add(RfidTag(uid=CARD, user_id=driver.id, created_at=make.NOON))
    with connected(served.port, "CP-1", protocols=(protocol,)) as charger:
        yield Talk(charger, protocol, charger_id, database)


def an_evse_two() -> Evse:
    plug = Connector(number=1, kind="type2", power_w=22_000)
    return Evse(number=2, booking_price_paise=10_000, connectors=[plug])
