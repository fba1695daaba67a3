"""Many chargers in one program: keeps them going, cuts their power, ends them."""

import asyncio
import random
from collections import Counter, defaultdict

from evcharge.simulator.build import Plan, build
from evcharge.simulator.charger import Charger
from evcharge.simulator.clock import Clock
from evcharge.simulator.ledger import Ledger
from evcharge.simulator.news import State
from evcharge.simulator.spec import ChargerSpec
from evcharge.simulator.trouble import HOUR, POWER_AWAY

SETTLE_SECONDS, LOOK_SECONDS = 20.0, 0.05


class Fleet:
    def __init__(self, plan: Plan, *, clock: Clock, ledger: Ledger) -> None:
        self._plan = plan
        self._clock = clock
        self._ledger = ledger
        self._rng = random.Random(plan.seed)  # noqa: S311
        self._chargers: list[Charger] = []
        self._sites: dict[str, list[Charger]] = defaultdict(list)
        self._tasks: set[asyncio.Task[None]] = set()
        self.tally: Counter[str] = Counter()

    def add(self, spec: ChargerSpec) -> None:
        """Set one up; it connects at some time within the spread."""
        charger = Charger(
            *build(spec, self._plan, now=self._clock.now()),
            url=self._plan.url,
            clock=self._clock,
            trouble=self._plan.trouble,
            account=self._ledger,
            tally=self.tally,
        )
        self._chargers.append(charger)
        self._sites[spec.site].append(charger)
        wait = self._rng.uniform(0, self._plan.spread_seconds)
        self._keep(asyncio.create_task(charger.run(first_wait=wait)))

    def begin(self) -> None:
        self._keep(asyncio.create_task(self._cut_power_now_and_then()))

    async def end(self, *, is_settled: bool) -> None:
        """Hang up. `is_settled`: first stop what charges and deliver what waits."""
        if is_settled:
            await self._settle()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for charger in self._chargers:
            for point in charger.box.points:
                if point.transaction:
                    self._ledger.still_open(charger.box.identity, point.transaction)

    def line(self) -> str:
        """Return how things stand, in one line."""
        states = Counter(
            point.state for each in self._chargers for point in each.box.points
        )
        connected = sum(each.is_connected for each in self._chargers)
        waiting = sum(each.waiting for each in self._chargers)
        charging = states[State.CHARGING] + states[State.SUSPENDED_EV]
        return (
            f"{connected} of {len(self._chargers)} chargers connected, "
            f"{charging} of {states.total()} charging, "
            f"{states[State.FAULTED]} faulted; "
            f"{self.tally['answered']} messages, {waiting} waiting, "
            f"{self.tally['refused']} refused; {self.tally['commands']} commands"
        )

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)

    async def _cut_power_now_and_then(self) -> None:
        while True:
            now = self._clock.now()
            sites = len(self._sites)
            at = self._plan.trouble.power_cut_at(self._rng, now, sites=sites)
            await self._clock.sleep(min(at - now, HOUR))
            if at - now <= HOUR and self._sites:
                self.cut_power(self._rng.choice(list(self._sites)))

    def cut_power(self, site: str) -> None:
        until = self._clock.now() + self._rng.uniform(*POWER_AWAY)
        self.tally["power cuts"] += 1
        for charger in self._sites[site]:
            charger.cut_power(until)

    async def _settle(self) -> None:
        for charger in self._chargers:
            charger.finish()
        for _ in range(int(SETTLE_SECONDS / LOOK_SECONDS)):
            if all(c.box.is_idle and not c.waiting for c in self._chargers):
                return
            await asyncio.sleep(LOOK_SECONDS)
