"""One EVSE: who comes, charges and leaves, and what breaks; time is a parameter.

Nothing here knows OCPP or a network. `advance` lets time go by, the other methods do
what drivers and servers ask; what a charger would tell of it collects in `news`.
"""

import random
import uuid
from collections.abc import Callable, Sequence
from typing import ClassVar

from evcharge.simulator.news import (
    CardShown,
    Ended,
    Reason,
    RemoteStart,
    Reservation,
    ReservationExpired,
    Started,
    State,
    StatusChanged,
    Transaction,
)
from evcharge.simulator.outlet import Outlet
from evcharge.simulator.variables import Name, Variables
from evcharge.simulator.visits import (
    Habits,
    Plug,
    Visit,
    a_vehicle,
)

NEVER = float("inf")
COMES_TO_RESERVED = 0.9
AFTER_RESERVING = (40.0, 300.0)  # Until the driver of a reservation is there.
BEFORE_EXPIRY = (30.0, 120.0)  # They leave in time for the next.
PLUGS_IN_FOR_APP = (3.0, 7.0)  # Who presses Start in the app stands beside it.
APP_STAY = (25 * 60.0, 75 * 60.0)
FIRST_READING = 8.0  # Whoever has just begun sees soon what flows.
PULLS_WITHOUT_CARD = 0.3  # Who leaves unlocks the car instead of showing the card.
IDLE_WHEN_FULL = (60.0, 900.0)
MAKES_ROOM = (20.0, 90.0)  # A guest who hears that someone has reserved.


class Point(Outlet):
    """An EVSE, those who come to it, and what is asked of it."""

    def __init__(
        self,
        number: int,
        plugs: Sequence[Plug],
        *,
        habits: Habits,
        variables: Variables,
        rng: random.Random,
        is_used: bool = True,
    ) -> None:
        super().__init__(number, plugs, variables=variables, rng=rng)
        self.habits = habits
        self.is_used = is_used  # Else nobody comes of themselves.
        self.remote: RemoteStart | None = None
        self._arrives_at = self._drawn_at = 0.0
        self._fault_at = NEVER
        self._meters_at = NEVER

    # What comes of itself.

    def begin(self, now: float, *, first_arrival: float | None = None) -> None:
        """Draw what happens first. `first_arrival`: somebody certainly comes then."""
        self._draw_arrival(now)
        self._fault_at = self.habits.next_fault(self._rng, now)
        if first_arrival is not None:
            self._arrives_at = first_arrival

    @property
    def due_at(self) -> float:
        """Return when `advance` has something to do next; earlier calls do nothing."""
        heals_at = self.fault.heals_at if self.fault else NEVER
        return min(heals_at, self._DUE[self.state](self))

    def advance(self, now: float) -> None:
        """Do the next thing that is due by now, if any; call again while one is."""
        self._meter(now)
        if self.fault and self.fault.heals_at <= now:
            self._heal(now)
        else:
            self._STEP[self.state](self, now)

    # What others ask for.

    def remote_start(self, tag: str, remote_start_id: int | None, now: float) -> bool:
        """Whether charging begins as soon as a vehicle is plugged in; one soon is."""
        is_theirs = self.reservation is not None and self.reservation.tag == tag
        is_waiting = self.state == State.PREPARING
        is_free = self.state == State.AVAILABLE or (
            self.state == State.RESERVED and is_theirs
        )
        if not (is_free or is_waiting) or self.remote is not None:
            return False
        plugs_in_at = now + self._rng.uniform(*PLUGS_IN_FOR_APP)
        within = self.variables.seconds(Name.PLUG_IN_WITHIN)
        self.remote = RemoteStart(tag, remote_start_id, plugs_in_at, now + within)
        return True

    def answer_card(self, is_accepted: bool, now: float) -> None:
        """The server has said whether the card that was shown may charge."""
        if self.state != State.PREPARING or not self._vehicle_here().has_shown:
            return
        if is_accepted:
            self._start(now, self._vehicle_here().tag)
        else:
            self._vehicle_here().leaves_at = now + self._rng.uniform(*MAKES_ROOM)

    def reserve(
        self, number: int, tag: str, expires_at: float, now: float, plug: int | None
    ) -> State | None:
        """Hold it for that tag. Return the state that stands against it, or None."""
        is_same = self.reservation is not None and self.reservation.number == number
        is_held = is_same and self.state == State.RESERVED
        if not (self.state == State.AVAILABLE or is_held):
            self._make_room(now)
            return self.state
        if self.remote is not None:
            return State.PREPARING
        arrives_at = NEVER
        if self._rng.random() < COMES_TO_RESERVED:
            arrives_at = now + self._rng.uniform(*AFTER_RESERVING)
        self.reservation = Reservation(number, tag, expires_at, arrives_at, plug)
        self._become(State.RESERVED, now)
        return None

    def cancel_reservation(self, number: int, now: float) -> bool:
        if self.reservation is None or self.reservation.number != number:
            return False
        self.reservation = None
        if self.state == State.RESERVED:
            self._become_free(now)
        return True

    def set_operative(self, is_operative: bool, now: float) -> bool:
        """Whether that holds at once; if not, it does when the vehicle leaves."""
        self.is_operative = is_operative
        if self.visit is not None:
            return False
        if self.state != State.FAULTED:
            self._become_free(now)
        return True

    def lose_power(self, now: float, reason: Reason) -> None:
        """All that was going on is over; told when there is power again."""
        self._meter(now)
        if self.transaction is not None:
            ended = Ended(self.transaction, self._reading(now), reason, None)
            self.news.append(ended)
        self.transaction = self.visit = self.remote = None
        if self.state != State.FAULTED:
            self._become_free(now)
        self.news = [each for each in self.news if not isinstance(each, StatusChanged)]

    def resume(
        self,
        visit: Visit,
        transaction: Transaction,
        *,
        since: float,
        now: float,
        is_told: bool,
    ) -> None:
        """Charge on as before the simulator was started. Call before `begin`.

        `since`: when the meter was last read. `is_told`: the server knows of it.
        """
        self.plug = next(p for p in self.plugs if p.number == transaction.plug)
        self.visit, self.transaction = visit, transaction
        self.state = State.CHARGING
        self.meter_wh = float(transaction.meter_wh)
        self._metered_to = since
        # Not at once: with many chargers, all of them would for ever read together.
        every = self.variables.seconds(Name.METER)
        self._meters_at = now + self._rng.uniform(0, every)
        if not is_told:
            self.news.append(Started(transaction, self._reading(since)))

    def leave_standing(self, plug: Plug, leaves_at: float) -> None:
        """A vehicle that is done stands here. Call before `begin`."""
        vehicle = a_vehicle(self._rng, plug)
        self.visit = Visit(vehicle, None, leaves_at, leaves_at)
        self.plug, self.state = plug, State.FINISHING

    def shut(self, now: float) -> None:
        """Send everybody away, and let nobody in any more."""
        self.is_used = False
        self.remote = self.reservation = None
        if not self.stop(now, Reason.LOCAL) and self.visit is not None:
            self.visit.leaves_at = now

    # One step of each state.

    def _when_available(self, now: float) -> None:
        if self._fault_at <= now:
            self._fault_at = self.habits.next_fault(self._rng, now)
            self.break_down(self._rng.choice(self.plugs), now)
        elif not self._plug_in_for_app(now) and self._arrives_at <= now:
            self._maybe_arrive(now)

    def _when_reserved(self, now: float) -> None:
        held = self.reservation
        if held is None or self._plug_in_for_app(now):
            return
        if held.expires_at <= now:
            self.news.append(ReservationExpired(held.number))
            self.reservation = None
            self._become_free(now)
        elif held.arrives_at <= now:
            plug = next((p for p in self.plugs if p.number == held.plug), self.plugs[0])
            visit = Visit(
                a_vehicle(self._rng, plug), held.tag, now + 5, held.expires_at
            )
            self._plug_in(visit, plug, now)

    def _when_preparing(self, now: float) -> None:
        visit, remote = self._vehicle_here(), self.remote
        if remote is not None:
            self.remote = None
            self._start(now, remote.tag, remote.remote_start_id)
        elif visit.leaves_at <= now:
            self._leave(now)
        elif visit.tag and not visit.has_shown and visit.ready_at <= now:
            visit.has_shown = True
            self.news.append(CardShown(self.number, visit.tag))

    def _when_charging(self, now: float) -> None:
        visit = self._vehicle_here()
        if visit.leaves_at <= now and self._rng.random() < PULLS_WITHOUT_CARD:
            self.stop(now, Reason.EV_DISCONNECTED)
        elif visit.leaves_at <= now:
            self.stop(now, Reason.LOCAL, visit.tag)
        elif self.state == State.CHARGING and visit.vehicle.is_full:
            idle = self._rng.uniform(*IDLE_WHEN_FULL)
            visit.leaves_at = min(visit.leaves_at, now + idle)
            self._become(State.SUSPENDED_EV, now, is_metered=True)
        elif self._meters_at <= now:
            self._meters_at = now + self.variables.seconds(Name.METER)
            self.meter_now(now)

    def _when_finishing(self, now: float) -> None:
        if self._vehicle_here().leaves_at <= now:
            self._leave(now)

    def _at_rest(self, now: float) -> None:
        """Nothing happens here but what others do."""

    def _due_when_available(self) -> float:
        plugs_in_at = self.remote.plugs_in_at if self.remote else NEVER
        arrives_at = self._arrives_at if self.is_used else NEVER
        return min(self._fault_at, plugs_in_at, arrives_at)

    def _due_when_reserved(self) -> float:
        plugs_in_at = self.remote.plugs_in_at if self.remote else NEVER
        held = self.reservation
        return min(plugs_in_at, held.expires_at, held.arrives_at) if held else NEVER

    def _due_when_preparing(self) -> float:
        visit = self._vehicle_here()
        if self.remote is not None:
            return 0.0
        will_show = visit.tag is not None and not visit.has_shown
        return min(visit.leaves_at, visit.ready_at if will_show else NEVER)

    def _due_when_charging(self) -> float:
        return min(self._vehicle_here().leaves_at, self._meters_at)

    def _due_when_finishing(self) -> float:
        return self._vehicle_here().leaves_at

    def _due_at_rest(self) -> float:
        return NEVER

    _Step = Callable[["Point", float], None]
    _STEP: ClassVar[dict[State, _Step]] = {
        State.AVAILABLE: _when_available,
        State.RESERVED: _when_reserved,
        State.PREPARING: _when_preparing,
        State.CHARGING: _when_charging,
        State.SUSPENDED_EV: _when_charging,
        State.FINISHING: _when_finishing,
        State.UNAVAILABLE: _at_rest,
        State.FAULTED: _at_rest,
    }
    _DUE: ClassVar[dict[State, Callable[["Point"], float]]] = {
        State.AVAILABLE: _due_when_available,
        State.RESERVED: _due_when_reserved,
        State.PREPARING: _due_when_preparing,
        State.CHARGING: _due_when_charging,
        State.SUSPENDED_EV: _due_when_charging,
        State.FINISHING: _due_when_finishing,
        State.UNAVAILABLE: _due_at_rest,
        State.FAULTED: _due_at_rest,
    }

    # The parts they are made of.

    def _draw_arrival(self, now: float) -> None:
        self._drawn_at = now
        self._arrives_at = self.habits.next_arrival(self._rng, self.plugs[0], now)

    def _maybe_arrive(self, now: float) -> None:
        comes = self.habits.comes(self._arrives_at, self._drawn_at)
        self._draw_arrival(now)
        plugs = [plug for plug in self.plugs if self._works(plug)]
        if comes and self.is_used and plugs:
            plug = self._rng.choice(plugs)
            self._plug_in(self.habits.walk_in(self._rng, plug, now), plug, now)

    def _plug_in_for_app(self, now: float) -> bool:
        if self.remote is None or self.remote.plugs_in_at > now:
            return False
        plug = next((p for p in self.plugs if self._works(p)), None)
        if plug is None or self.remote.expires_at <= now:
            self.remote = None
            return False
        stay = now + self._rng.uniform(*APP_STAY)
        self._plug_in(Visit(a_vehicle(self._rng, plug), None, now, stay), plug, now)
        return True

    def _plug_in(self, visit: Visit, plug: Plug, now: float) -> None:
        self.plug, self.visit = plug, visit
        self._become(State.PREPARING, now)

    def _start(
        self, now: float, tag: str | None, remote_start_id: int | None = None
    ) -> None:
        held = self.reservation
        is_reserved = held is not None and held.tag == tag
        if held is not None and is_reserved:
            self._vehicle_here().leaves_at = max(
                now + 60, held.expires_at - self._rng.uniform(*BEFORE_EXPIRY)
            )
            self.reservation = None
        register = int(self.meter_wh)
        self.transaction = Transaction(
            ref=str(uuid.UUID(int=self._rng.getrandbits(128), version=4)),
            evse=self.number,
            plug=self.plug.number,
            tag=tag,
            started_at=now,
            meter_start_wh=register,
            meter_wh=register,
            remote_start_id=remote_start_id,
            reservation=held.number if held is not None and is_reserved else None,
        )
        self._metered_to = now
        every = self.variables.seconds(Name.METER)
        self._meters_at = now + min(FIRST_READING, every)
        self.news.append(Started(self.transaction, self._reading(now)))
        self._become(State.CHARGING, now, is_metered=True)

    def _make_room(self, now: float) -> None:
        """Whoever came without a reservation goes when somebody has one."""
        if self.visit is not None and self.reservation is None:
            soon = now + self._rng.uniform(*MAKES_ROOM)
            self.visit.leaves_at = min(self.visit.leaves_at, soon)

    def _leave(self, now: float) -> None:
        self.visit = None
        self._draw_arrival(now)
        self._become_free(now)

    def _heal(self, now: float) -> None:
        plug = self.fault.plug if self.fault else self.plug.number
        self.fault = None
        if self.state == State.FAULTED:
            self.state = State.AVAILABLE if self.is_operative else State.UNAVAILABLE
            self._draw_arrival(now)
        self._tell(plug, now)
