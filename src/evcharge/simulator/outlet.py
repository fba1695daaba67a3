"""The hardware of an EVSE: its state, its meter, and what there is to tell of both."""

import random
from collections.abc import Sequence

from evcharge.simulator.news import (
    Ended,
    Metered,
    News,
    Reading,
    Reason,
    Reservation,
    State,
    StatusChanged,
    Transaction,
)
from evcharge.simulator.variables import Variables
from evcharge.simulator.visits import TELL_SOC, Fault, Plug, Visit, a_fault

LEAVES_AFTER = (40.0, 150.0)  # After the end, the plug is pulled.
OF_ALL_PLUGS = frozenset({State.UNAVAILABLE, State.RESERVED})


class Outlet:
    """One EVSE with its plugs. All times are seconds since the epoch."""

    def __init__(
        self,
        number: int,
        plugs: Sequence[Plug],
        *,
        variables: Variables,
        rng: random.Random,
    ) -> None:
        self.number = number
        self.plugs = plugs
        self.variables = variables
        self.state = State.AVAILABLE
        self.plug = plugs[0]
        self.visit: Visit | None = None
        self.transaction: Transaction | None = None
        self.reservation: Reservation | None = None
        self.fault: Fault | None = None
        self.is_operative = True
        self.meter_wh = float(rng.randrange(50_000, 9_000_000))
        self.news: list[News] = []
        self._rng = rng
        self._metered_to = 0.0

    def status_of(self, plug: int) -> State:
        if self.fault and self.fault.plug == plug:
            return State.FAULTED
        if self.state in OF_ALL_PLUGS or plug == self.plug.number:
            return self.state
        return State.AVAILABLE

    def tell_statuses(self, now: float) -> None:
        """Say how every plug is, as after a start or when asked to."""
        for plug in self.plugs:
            self._tell(plug.number, now)

    def take_news(self) -> list[News]:
        news, self.news = self.news, []
        return news

    def stop(self, now: float, reason: Reason, tag: str | None = None) -> bool:
        """End the transaction; whether there was one."""
        self._meter(now)
        if (transaction := self.transaction) is None or self.visit is None:
            return False
        self.transaction = None
        self.news.append(
            Ended(transaction, self._reading(now, is_over=True), reason, tag)
        )
        self.visit.leaves_at = now + self._rng.uniform(*LEAVES_AFTER)
        self._become(State.FINISHING, now)
        return True

    def meter_now(self, now: float) -> bool:
        self._meter(now)
        if self.transaction is None:
            return False
        self.news.append(Metered(self.transaction, self._reading(now), self.state))
        return True

    def break_down(self, plug: Plug, now: float) -> None:
        self.fault = a_fault(self._rng, plug, now)
        if len(self.plugs) == 1:
            self.stop(now, Reason.OTHER)
            self.visit = None
            self.state = State.FAULTED
        self._tell(plug.number, now)

    def _vehicle_here(self) -> Visit:
        if self.visit is None:
            raise AssertionError(f"no vehicle at a point that is {self.state}")
        return self.visit

    def _works(self, plug: Plug) -> bool:
        return self.fault is None or self.fault.plug != plug.number

    def _become_free(self, now: float) -> None:
        if not self.is_operative:
            self._become(State.UNAVAILABLE, now)
        elif self.reservation is not None:
            self._become(State.RESERVED, now)
        else:
            self._become(State.AVAILABLE, now)

    def _become(self, state: State, now: float, *, is_metered: bool = False) -> None:
        if state == self.state:
            return
        is_for_all = state in OF_ALL_PLUGS or self.state in OF_ALL_PLUGS
        self.state = state
        if is_metered and self.transaction is not None:
            reading = self._reading(now)
            self.news.append(Metered(self.transaction, reading, state, is_change=True))
        for plug in self.plugs if is_for_all else (self.plug,):
            self._tell(plug.number, now)

    def _tell(self, plug: int, now: float) -> None:
        state = self.status_of(plug)
        fault = self.fault if state == State.FAULTED else None
        self.news.append(StatusChanged(self.number, plug, state, now, fault))

    def _meter(self, now: float) -> None:
        """Count what has flowed since we last looked."""
        seconds, self._metered_to = now - self._metered_to, max(now, self._metered_to)
        if self.transaction is None or self.visit is None or seconds <= 0:
            return
        self.meter_wh += self.visit.vehicle.charge(self.plug.power_w, seconds)
        self.transaction.meter_wh = int(self.meter_wh)

    def _reading(self, now: float, *, is_over: bool = False) -> Reading:
        visit = self._vehicle_here()
        power_w = 0.0 if is_over else visit.vehicle.power_w(self.plug.power_w)
        soc = visit.vehicle.soc_percent if self.plug.kind in TELL_SOC else None
        return Reading(now, int(self.meter_wh), int(power_w), soc)
