"""A charging point to try things with."""

import random

from evcharge.simulator.news import Ended, News, Started
from evcharge.simulator.station import Point
from evcharge.simulator.variables import Variables
from evcharge.simulator.visits import Habits, Plug

NOON = 1_900_000_000.0
MINUTE, HOUR = 60.0, 3600.0
CCS2 = Plug(1, "ccs2", 60_000)
CHADEMO = Plug(2, "chademo", 50_000)


def a_point(
    *,
    plugs: tuple[Plug, ...] = (CCS2,),
    seed: int = 1,
    busy: float = 0.0,
    trouble: float = 0.0,
    cards: tuple[str, ...] = ("CARD1",),
    opening: tuple[int, int] | None = None,
) -> Point:
    point = Point(
        1,
        plugs,
        habits=Habits(cards=cards, busy=busy, trouble=trouble, opening=opening),
        variables=Variables(is_201=False, connectors=len(plugs)),
        rng=random.Random(seed),  # noqa: S311
    )
    point.begin(NOON)
    return point


def live(point: Point, *, until: float, now: float = NOON) -> list[News]:
    """Let time go by, from one thing that is due to the next."""
    told: list[News] = []
    while (due_at := max(point.due_at, now)) <= until:
        point.advance(due_at)
        told += point.take_news()
        now = due_at
    point.advance(until)
    return told + point.take_news()


def charging_point(**options: object) -> Point:
    """A point somebody has just begun to charge at, by the app."""
    point = a_point(**options)  # type: ignore[arg-type]
    point.remote_start("APP", 7, NOON)
    live(point, until=NOON + 10)
    return point


def only(kind: type, news: list[News]) -> list[News]:
    return [each for each in news if isinstance(each, kind)]


def balance(news: list[News]) -> int:
    """How many transactions began and did not end."""
    return len(only(Started, news)) - len(only(Ended, news))
