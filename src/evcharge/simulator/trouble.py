"""What goes wrong between a charger and its server, and how often."""

import random
from dataclasses import dataclass

MINUTE, HOUR = 60.0, 3600.0
NEVER = float("inf")
LINK_LOST_EVERY = 12 * HOUR
LINK_AWAY = (MINUTE, 10 * MINUTE)
POWER_CUT_EVERY = 72 * HOUR  # At one site.
POWER_AWAY = (MINUTE, 6 * MINUTE)
ANSWERS_LOST = 0.002
CLOCK_NEVER_SET = 0.08
CLOCK_OFF_SECONDS, SET_CLOCK_OFF_SECONDS = 180.0, 2.0
# Says how its plugs are before it tells what it has kept, instead of after.
STATUSES_FIRST = 0.25


@dataclass(frozen=True)
class Trouble:
    """`scale`: 0 for a network where all goes well, 1 as it is, more for more."""

    scale: float = 1.0

    def link_lost_at(self, rng: random.Random, now: float) -> float:
        return self._next(rng, now, LINK_LOST_EVERY)

    def power_cut_at(self, rng: random.Random, now: float, *, sites: int) -> float:
        return self._next(rng, now, POWER_CUT_EVERY / max(sites, 1))

    def loses_answer(self, rng: random.Random) -> bool:
        return rng.random() < ANSWERS_LOST * self.scale

    def clock(self, rng: random.Random) -> tuple[float, bool]:
        """Draw how far a clock is off, and whether the server's time corrects it."""
        is_set = rng.random() >= CLOCK_NEVER_SET
        most = SET_CLOCK_OFF_SECONDS if is_set else CLOCK_OFF_SECONDS
        off = rng.uniform(-most, most)
        return (off if self.scale > 0 else 0.0), is_set

    def tells_statuses_first(self, rng: random.Random) -> bool:
        return rng.random() < STATUSES_FIRST * min(self.scale, 1.0)

    def _next(self, rng: random.Random, now: float, every: float) -> float:
        if self.scale <= 0:
            return NEVER
        return now + rng.expovariate(self.scale / every)
