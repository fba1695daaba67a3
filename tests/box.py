"""A charger at the service's door: each act in a transaction, as the gateway does."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

import make
from evcharge.bookings.models import SlotClaim
from evcharge.charging.listing import session_in_scope
from evcharge.charging.models import ChargingSession, UnmatchedStop
from evcharge.charging.queries import session_of_booking
from evcharge.charging.rules import (
    EventType,
    Metered,
    Reading,
    StartAnswer,
    TransactionEvent,
    TransactionStart,
    TransactionStop,
)
from evcharge.charging.service import (
    ask_to_start,
    record_event,
    record_metered,
    start_transaction,
    stop_transaction,
)
from evcharge.control.models import ChargerCommand
from evcharge.control.rules import Protocol
from evcharge.control.service import open_connection
from evcharge.kernel.db import Database
from evcharge.stations.models import Charger, Evse
from make import NOON


@dataclass
class Box:
    database: Database
    evse_id: int
    charger_id: int
    number: int = 1
    seq: dict[str, int] = field(default_factory=dict)

    def connect(self, *, at: datetime = NOON) -> "Box":
        self.database.perform(
            lambda session: open_connection(
                session,
                charger_id=self.charger_id,
                gateway="g",
                protocol=Protocol.OCPP16,
                address="",
                at=at,
            )
        )
        return self

    def start(
        self,
        tag: str | None = None,
        *,
        at: datetime = NOON,
        meter: int | None = 1000,
        **said: Any,
    ) -> StartAnswer:
        start = TransactionStart(
            charger_id=self.charger_id,
            evse_number=self.number,
            connector_number=1,
            tag=tag,
            meter_wh=meter,
            charger_at=said.pop("charger_at", at),
            **said,
        )
        return self.database.perform(
            lambda session: start_transaction(session, start, at=at)
        )

    def stop(
        self, number: int | None, *, at: datetime, meter: int | None, **said: Any
    ) -> bool:
        stop = TransactionStop(
            charger_id=self.charger_id,
            number=number,
            meter_wh=meter,
            charger_at=said.pop("charger_at", at),
            **said,
        )
        return self.database.perform(
            lambda session: stop_transaction(session, stop, at=at)
        )

    def meter(
        self, number: int | None, *registers: int, at: datetime, **said: Any
    ) -> None:
        metered = Metered(
            self.charger_id,
            self.number,
            tuple(Reading(energy_wh=each, **said) for each in registers),
            number=number,
        )
        self.database.perform(lambda session: record_metered(session, [metered], at=at))

    def event(
        self,
        type_: EventType,
        ref: str = "tx-1",
        *,
        at: datetime = NOON,
        seq_no: int | None = None,
        meter: int | None = None,
        **said: Any,
    ) -> bool | None:
        if seq_no is None:
            seq_no = self.seq[ref] = self.seq.get(ref, -1) + 1
        readings = () if meter is None else (Reading(energy_wh=meter),)
        event = TransactionEvent(
            type=type_,
            charger_id=self.charger_id,
            transaction_ref=ref,
            seq_no=seq_no,
            charger_at=said.pop("charger_at", at),
            evse_number=self.number,
            connector_number=1,
            readings=readings,
            **said,
        )
        return self.database.perform(
            lambda session: record_event(session, event, at=at)
        )

    def ask(
        self, user_id: int, *, now: datetime = NOON, **wanted: Any
    ) -> ChargingSession:
        if not wanted:
            wanted = {"evse_id": self.evse_id}
        return self.database.perform(
            lambda session: ask_to_start(session, user_id=user_id, now=now, **wanted)
        )

    def read(self, session_id: Any) -> ChargingSession:
        with self.database.reading() as session:
            return session_in_scope(session, session_id, None)

    def sessions(self) -> list[ChargingSession]:
        with self.database.reading() as session:
            return list(
                session.scalars(
                    select(ChargingSession).order_by(ChargingSession.created_at)
                )
            )

    def of_booking(self, booking_id: Any) -> ChargingSession | None:
        with self.database.reading() as session:
            return session_of_booking(session, booking_id)

    def evse(self) -> Evse:
        with self.database.reading() as session:
            return session.get_one(Evse, self.evse_id)

    def charger(self) -> Charger:
        with self.database.reading() as session:
            return session.get_one(Charger, self.charger_id)

    def commands(self) -> list[ChargerCommand]:
        with self.database.reading() as session:
            return list(
                session.scalars(select(ChargerCommand).order_by(ChargerCommand.id))
            )

    def unmatched(self) -> list[UnmatchedStop]:
        with self.database.reading() as session:
            return list(session.scalars(select(UnmatchedStop)))

    def claims(self) -> list[tuple[str, Any]]:
        with self.database.reading() as session:
            rows = session.scalars(
                select(SlotClaim)
                .where(SlotClaim.evse_id == self.evse_id)
                .order_by(SlotClaim.slot_no)
            )
            return [
                (row.kind.value, row.booking_id or row.session_id or row.block_id)
                for row in rows
            ]


def a_box(database: Database, **columns: Any) -> Box:
    with database.transaction() as session:
        evse = make.an_evse(session, **columns)
        return Box(database, evse.id, evse.charger_id)
