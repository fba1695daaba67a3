"""Who watches a location, and how long a charger's news take to reach them."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter, perf_counter_ns

from evcharge.bench.charger import Charger
from evcharge.bench.measures import Measured
from evcharge.bench.talk import connected, run, status_words

PAUSE_SECONDS = (0.0, 2.0)  # Between a hint and the next news of the same place.
PATIENCE_SECONDS = 10.0
ARRIVED, LOST = 1, 0


@dataclass(frozen=True)
class Watch:
    """`watched`: charger and location, of which a page is open somewhere.

    `others` talk too, a message each `every_seconds` on average; none of them at a
    place that is watched, where their hints would be taken for those waited for.
    """

    port: int
    chargers: int
    watched: Sequence[tuple[int, int]]
    others: Sequence[int]
    seconds: float
    every_seconds: float


def watch(plan: Watch) -> Measured:
    """Measure from sending a status to its hint at the other end of a stream."""
    return run(_watch(plan))


async def _watch(plan: Watch) -> Measured:
    rng = random.Random(plan.chargers)  # noqa: S311
    chargers = await connected(plan.port, range(1, plan.chargers + 1))
    latencies: list[int] = []
    lost = answered = 0

    async def be_watched(number: int, location: int) -> None:
        nonlocal lost
        reader, writer = await _stream(plan.port, location)
        turn = 0
        while perf_counter() < ends_at:
            await asyncio.sleep(rng.uniform(*PAUSE_SECONDS))
            turn += 1
            sent_at = perf_counter_ns()
            saying = asyncio.create_task(_say(chargers[number - 1], turn))
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await reader.readuntil(f"data: location:{location}\n\n".encode())
                latencies.append(perf_counter_ns() - sent_at)
            except TimeoutError:
                lost += 1
            await saying
        writer.close()

    async def talk_beside(charger: Charger) -> None:
        nonlocal answered
        turn = 0
        while True:
            await asyncio.sleep(rng.uniform(0, 2 * plan.every_seconds))
            turn += 1
            await _say(charger, turn)
            answered += 1

    began = perf_counter()
    ends_at = began + plan.seconds
    others = [
        asyncio.create_task(talk_beside(chargers[number - 1])) for number in plan.others
    ]
    await asyncio.gather(*(be_watched(*each) for each in plan.watched))
    seconds = perf_counter() - began
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    for charger in chargers:
        charger.close()
    return Measured(
        seconds=seconds,
        latencies=latencies,
        statuses={ARRIVED: len(latencies), 3: answered},
        errors=lost,
    )


async def _say(charger: Charger, turn: int) -> None:
    await charger.call("StatusNotification", status_words(turn))


async def _stream(
    port: int, location: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open one, and return when the server hears us."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    path = f"/live?topic=location:{location}"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    await reader.readuntil(b"retry: 5000\n\n")
    return reader, writer
