"""A charger without its socket: its points, its settings, its clock."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from evcharge.simulator.clock import rfc3339
from evcharge.simulator.news import News, Reason, Transaction
from evcharge.simulator.station import Point
from evcharge.simulator.variables import Name, Variables
from evcharge.simulator.visits import Plug

Payload = dict[str, Any]
FIRMWARE = ("3.2.1", "3.2.4", "4.0.0")


class Refusal(Exception):
    """We answer a call with a CALLERROR of this code."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.text = text


@dataclass(slots=True)
class Outgoing:
    """A call to make. `is_kept`: until it is answered, whatever the network does.

    `then` takes the answer and the time; of what is not kept, {} if there was none.
    """

    action: str
    payload: Callable[[], Payload]
    then: Callable[[Payload, float], None] | None = None
    is_kept: bool = False
    attempts: int = 0


@dataclass
class Box:
    """`drift_seconds`: how far its clock is off; `corrects_clock`: by the server's."""

    identity: str
    points: Sequence[Point]
    variables: Variables
    rng: random.Random
    vendor: str = "Simulated"
    model: str = "Charger"
    drift_seconds: float = 0.0
    corrects_clock: bool = True
    reset: Reason | None = None  # Wanted, and done once the answer is out.
    is_reset_when_idle: bool = False
    to_send: list[Outgoing] = field(default_factory=list)

    @property
    def firmware(self) -> str:
        return FIRMWARE[sum(self.identity.encode()) % len(FIRMWARE)]

    @property
    def plugs(self) -> list[tuple[Point, Plug]]:
        """Return all plugs in the order OCPP 1.6 numbers them, from 1."""
        return [(point, plug) for point in self.points for plug in point.plugs]

    @property
    def is_idle(self) -> bool:
        return all(point.transaction is None for point in self.points)

    @property
    def due_at(self) -> float:
        return min(point.due_at for point in self.points)

    def stamp(self, at: float) -> str:
        return rfc3339(at + self.drift_seconds)

    def advance(self, now: float) -> None:
        for point in self.points:
            while point.due_at <= now:
                point.advance(now)

    def point(self, number: int) -> Point | None:
        return next((each for each in self.points if each.number == number), None)

    def authorised(self, evse: int, status: str, now: float) -> None:
        """What became of a card; without an answer, charging is allowed."""
        if point := self.point(evse):
            point.answer_card(status == "Accepted", now)

    def deauthorise(self, transaction: Transaction, status: str, now: float) -> None:
        """The server has said, with its answer, whether it may go on."""
        is_valid = status in ("Accepted", "ConcurrentTx")
        point = self.point(transaction.evse)
        if is_valid or point is None or point.transaction is not transaction:
            return
        if self.variables.is_on(Name.STOP_ON_INVALID):
            point.stop(now, Reason.DEAUTHORIZED)

    def take_news(self) -> list[News]:
        return [each for point in self.points for each in point.take_news()]

    def lose_power(self, now: float, reason: Reason) -> None:
        self.reset, self.is_reset_when_idle = None, False
        for point in self.points:
            point.lose_power(now, reason)

    def tell_statuses(self, now: float) -> None:
        for point in self.points:
            point.tell_statuses(now)
