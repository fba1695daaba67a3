"""Puts a charger together from what is said of it."""

import random
from dataclasses import dataclass, field

from evcharge.simulator.box import Box
from evcharge.simulator.client16 import Words16
from evcharge.simulator.client201 import Words201
from evcharge.simulator.news import Transaction
from evcharge.simulator.spec import AtStart, ChargerSpec, EvseSpec
from evcharge.simulator.station import Point
from evcharge.simulator.trouble import Trouble
from evcharge.simulator.variables import Name, Variables
from evcharge.simulator.visits import Habits, Visit, a_vehicle

FIRST_ARRIVALS = (0.0, 120.0)
STAYS_ON = (180.0, 3000.0)  # Who charged already when the simulator was started.
PULLS_PLUG = (20.0, 600.0)


@dataclass(frozen=True)
class Plan:
    """How a fleet is to be run. `spread_seconds`: first connections, one by one.

    `comes_at_start`: plugs nothing is said of fill up to their share right away.
    """

    url: str
    seed: int = 0
    spread_seconds: float = 20.0
    meter_seconds: int = 60
    busy: float | None = None
    stay_scale: float = 1.0
    trouble: Trouble = field(default_factory=Trouble)
    comes_at_start: bool = True


def build(
    spec: ChargerSpec, plan: Plan, *, now: float
) -> tuple[Box, Words16 | Words201]:
    """Return a charger as it stands at the start, and its words."""
    is_201 = spec.version == "2.0.1"
    rng = random.Random(f"{plan.seed}:{spec.identity}")  # noqa: S311
    drift_seconds, corrects_clock = plan.trouble.clock(rng)
    box = Box(
        identity=spec.identity,
        points=[],
        variables=_variables(spec, plan, is_201=is_201),
        rng=rng,
        vendor=spec.vendor,
        model=spec.model,
        drift_seconds=drift_seconds,
        corrects_clock=corrects_clock,
    )
    habits = Habits(
        cards=spec.cards,
        opening=spec.opening,
        busy=plan.busy,
        trouble=plan.trouble.scale,
        stay_scale=plan.stay_scale,
    )
    box.points = [_point(evse, box, habits, plan, now) for evse in spec.evses]
    return box, Words201(box) if is_201 else Words16(box)


def _variables(spec: ChargerSpec, plan: Plan, *, is_201: bool) -> Variables:
    connectors = sum(len(evse.plugs) for evse in spec.evses)
    variables = Variables(is_201=is_201, connectors=connectors)
    variables.put(Name.KEY, spec.key)
    variables.put(Name.METER, str(plan.meter_seconds))
    return variables


def _point(evse: EvseSpec, box: Box, habits: Habits, plan: Plan, now: float) -> Point:
    point = Point(
        evse.number,
        evse.plugs,
        habits=habits,
        variables=box.variables,
        rng=box.rng,
        is_used=evse.is_used,
    )
    first_arrival = None
    if evse.at_start:
        _stand(point, evse.at_start, box.rng, now)
    elif plan.comes_at_start and box.rng.random() < habits.share(now):
        first_arrival = now + box.rng.uniform(*FIRST_ARRIVALS)
    point.begin(now, first_arrival=first_arrival)
    return point


def _stand(point: Point, start: AtStart, rng: random.Random, now: float) -> None:
    plug = next((p for p in point.plugs if p.number == start.connector), point.plugs[0])
    match start.state:
        case "faulted":
            point.break_down(plug, now)
        case "finishing":
            point.leave_standing(plug, now + rng.uniform(*PULLS_PLUG))
        case "charging":
            _charge_on(point, start, rng, now)


def _charge_on(point: Point, start: AtStart, rng: random.Random, now: float) -> None:
    plug = next((p for p in point.plugs if p.number == start.connector), point.plugs[0])
    leaves_at = now + rng.uniform(*STAYS_ON)
    if start.until is not None:
        leaves_at = max(now + 60, start.until - rng.uniform(30, 120))
    begun_at = int(point.meter_wh) if start.meter_wh is None else start.meter_wh
    meter_start = begun_at if start.meter_start_wh is None else start.meter_start_wh
    transaction = Transaction(
        ref=start.ref or f"{rng.getrandbits(128):032x}",
        evse=point.number,
        plug=plug.number,
        tag=start.tag or None,
        started_at=start.since,
        meter_start_wh=meter_start,
        meter_wh=begun_at,
        number=start.number,
        seq_no=start.seq_no,
    )
    visit = Visit(a_vehicle(rng, plug), start.tag or None, now, leaves_at, True)
    is_told = start.number is not None or start.ref is not None
    point.resume(visit, transaction, since=start.since, now=now, is_told=is_told)
