"""Who comes to a plug, when, with what, and for how long: chance, in one place."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from evcharge.simulator.vehicle import Vehicle

INDIA = ZoneInfo("Asia/Kolkata")
MINUTE, HOUR = 60.0, 3600.0
FAST_W = 25_000

# How many arrive in each hour of the day: before work, and on the way home.
ARRIVALS = (
    2,
    1,
    1,
    1,
    1,
    2,
    4,
    7,
    10,
    10,
    9,
    7,
    6,
    6,
    6,
    7,
    8,
    10,
    12,
    12,
    10,
    7,
    4,
    3,
)
# Of all plugs, how many have a vehicle: so many at night, and this many more at most.
NIGHT_SHARE, PEAK_SHARE = 0.22, 0.11

# Batteries in Wh and what they take in W, of what comes to plugs of some kinds.
SCOOTERS = ((2_900, 900), (3_700, 1_500), (4_000, 1_800))
RICKSHAWS = ((7_400, 2_500), (8_900, 3_000), (10_200, 6_000))
CARS = ((24_000, 25_000), (30_200, 50_000), (40_500, 60_000), (60_000, 120_000))
BUSES = ((150_000, 120_000), (250_000, 180_000))
COMING_TO = {
    "lev_ac": SCOOTERS,
    "lev_dc": SCOOTERS + RICKSHAWS,
    "lev_combo": SCOOTERS + RICKSHAWS,
    "socket_16a": SCOOTERS + RICKSHAWS,
    "bharat_ac_001": RICKSHAWS,
    "bharat_dc_001": RICKSHAWS,
    "gbt_dc": BUSES,
}
MOST_AC_W = 11_000  # What a vehicle's own charger takes.
ALTERNATING = frozenset({"type1", "type2", "gbt_ac", "socket_16a"})
TELL_SOC = frozenset({"ccs2", "chademo", "gbt_dc", "lev_dc", "lev_combo"})

FAST_STAY = (18 * MINUTE, 55 * MINUTE)
SLOW_STAY = (40 * MINUTE, 180 * MINUTE)
WITHOUT_CARD = 0.04  # They wait for the app; most of them in vain.
PATIENCE = (2 * MINUTE, 6 * MINUTE)
FAULT_EVERY = 200 * HOUR
FAULT_LASTS = (20 * MINUTE, 45 * MINUTE)

# Error codes of OCPP 1.6, section 7.5 ChargePointErrorCode, with a maker's own.
FAULTS = (
    ("GroundFailure", "E041", "Residual current above 30 mA"),
    ("HighTemperature", "E112", "Power module 2 above 85 °C"),
    ("ConnectorLockFailure", "E027", "Lock did not close"),
    ("PowerMeterFailure", "E063", "Meter does not answer"),
    ("OverVoltage", "E015", "Supply at 268 V"),
    ("InternalError", "E200", "Watchdog"),
)


@dataclass(frozen=True, slots=True)
class Plug:
    """A connector: its number on its EVSE, kind and power."""

    number: int
    kind: str
    power_w: int

    @property
    def is_fast(self) -> bool:
        return self.power_w >= FAST_W


@dataclass(slots=True)
class Visit:
    """A vehicle at a plug. `tag`: the card its driver shows at `ready_at`, if any."""

    vehicle: Vehicle
    tag: str | None
    ready_at: float
    leaves_at: float
    has_shown: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a plug, and until when."""

    plug: int
    heals_at: float
    error: str
    vendor_error: str
    info: str


@dataclass(frozen=True)
class Habits:
    """How drivers and hardware behave at a charger.

    `opening`: minutes of the day in India, `(from, to)`; closing may be past midnight.
    `busy`: overrides the share of plugs in use, whatever the hour. `trouble`: 0 for a
    network where nothing ever breaks, 1 as it is, more for more.
    """

    cards: Sequence[str] = ()
    opening: tuple[int, int] | None = None
    busy: float | None = None
    trouble: float = 1.0
    stay_scale: float = field(default=1.0)

    def share(self, now: float) -> float:
        if self.busy is not None:
            return self.busy
        hour = datetime.fromtimestamp(now, INDIA).hour
        return NIGHT_SHARE + PEAK_SHARE * ARRIVALS[hour] / max(ARRIVALS)

    def next_arrival(self, rng: random.Random, plug: Plug, now: float) -> float:
        """Draw when the next vehicle comes to a free plug.

        So long that plugs have vehicles as often as `share` says. An hour with none is
        drawn again with the next hour's share, which changes nothing else.
        """
        share = min(self.share(now), 0.98)
        if share <= 0:
            return now + HOUR
        free_seconds = self._usual_stay(plug) * (1 - share) / share
        return now + min(rng.expovariate(1 / free_seconds), HOUR)

    def comes(self, arrives_at: float, drawn_at: float) -> bool:
        """Whether that is an arrival, or only the time to draw again, or it is shut."""
        return arrives_at < drawn_at + HOUR and self.is_open(arrives_at)

    def is_open(self, at: float) -> bool:
        if self.opening is None:
            return True
        opens, closes = self.opening
        wall = datetime.fromtimestamp(at, INDIA)
        minute = wall.hour * 60 + wall.minute
        if opens < closes:
            return opens <= minute < closes
        return minute >= opens or minute < closes

    def walk_in(self, rng: random.Random, plug: Plug, now: float) -> Visit:
        visit = Visit(
            vehicle=a_vehicle(rng, plug),
            tag=self._card(rng),
            ready_at=now + rng.uniform(5, 30),
            leaves_at=now + rng.uniform(*self._stay(plug)),
        )
        if visit.tag is None:
            visit.leaves_at = now + rng.uniform(*PATIENCE)
        return visit

    def next_fault(self, rng: random.Random, now: float) -> float:
        if self.trouble <= 0:
            return float("inf")
        return now + rng.expovariate(self.trouble / FAULT_EVERY)

    def _card(self, rng: random.Random) -> str | None:
        if not self.cards or rng.random() < WITHOUT_CARD:
            return None
        return rng.choice(self.cards)

    def _stay(self, plug: Plug) -> tuple[float, float]:
        low, high = FAST_STAY if plug.is_fast else SLOW_STAY
        return low * self.stay_scale, high * self.stay_scale

    def _usual_stay(self, plug: Plug) -> float:
        return sum(self._stay(plug)) / 2


def a_vehicle(rng: random.Random, plug: Plug) -> Vehicle:
    """Draw one that fits the plug and is neither empty nor nearly full."""
    battery_wh, most_w = rng.choice(COMING_TO.get(plug.kind, CARS))
    if plug.kind in ALTERNATING:
        most_w = min(most_w, MOST_AC_W)
    return Vehicle(battery_wh, most_w, battery_wh * rng.uniform(0.12, 0.6))


def a_fault(rng: random.Random, plug: Plug, now: float) -> Fault:
    return Fault(plug.number, now + rng.uniform(*FAULT_LASTS), *rng.choice(FAULTS))
