"""Chargers that talk, come back all at once, or only stand there; by ten thousands.

Runs in the process of the clients (`Lab.elsewhere`), like `load`.
"""

import asyncio
import gc
import json
import random
import resource
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter, perf_counter_ns, process_time
from typing import Any, TypeVar

import uvloop

from evcharge.bench.charger import Charger, Gone, Refused
from evcharge.bench.fleet import CARD, KEY, identity
from evcharge.bench.measures import Measured
from evcharge.bench.programs import cpu_seconds, rss_bytes

T = TypeVar("T")
Say = Callable[[Charger, int], Awaitable[bytes]]  # The message of that turn.

AT = "2026-11-23T12:00:00Z"  # Chargers' clocks differ; ours decides.
STATUSES = ("Preparing", "Charging", "Finishing", "Available")
BOOT = '{"chargePointVendor":"Bench","chargePointModel":"Bench 1"}'
CONNECTING = 200  # At once, where they do not all come at once.
PATIENCE_SECONDS = 60.0
TRY_AGAIN_SECONDS = (0.5, 1.5)
MEANT_TO_FIT = 20_000  # Open files of a process.


@dataclass(frozen=True)
class Talk:
    """So many chargers say what `about` says, each again as soon as it is answered."""

    port: int
    pids: Sequence[int]
    chargers: int
    seconds: float
    about: str
    turn: int  # Where the count of messages begins: no two of a charger are the same.


async def _statuses(charger: Charger) -> Say:
    """Each time another status, and other words: nothing of it is old news."""

    def say(charger: Charger, turn: int) -> Awaitable[bytes]:
        return charger.call("StatusNotification", status_words(turn))

    return say


def status_words(turn: int) -> str:
    return (
        f'{{"connectorId":1,"errorCode":"NoError","info":"{turn}",'
        f'"status":"{STATUSES[turn % 4]}","timestamp":"{AT}"}}'
    )


async def _meter_values(charger: Charger) -> Say:
    """In a transaction, which is the same if it has begun before."""
    start = f'{{"connectorId":1,"idTag":"{CARD}","meterStart":0,"timestamp":"{AT}"}}'
    answer = await charger.call("StartTransaction", start)
    number = json.loads(answer)[2]["transactionId"]

    def say(charger: Charger, turn: int) -> Awaitable[bytes]:
        values = (
            f'{{"value":"{turn}","measurand":"Energy.Active.Import.Register",'
            f'"unit":"Wh"}},{{"value":"7200","measurand":"Power.Active.Import",'
            f'"unit":"W"}},{{"value":"55","measurand":"SoC","unit":"Percent"}}'
        )
        return charger.call(
            "MeterValues",
            f'{{"connectorId":1,"transactionId":{number},"meterValue":'
            f'[{{"timestamp":"{AT}","sampledValue":[{values}]}}]}}',
        )

    return say


ABOUT = {"status": _statuses, "meter": _meter_values}


def talk(plan: Talk) -> Measured:
    """Raises: Refused, Gone, OSError."""
    return run(_talk(plan))


async def _talk(plan: Talk) -> Measured:
    chargers = await connected(plan.port, range(1, plan.chargers + 1))
    says = [await ABOUT[plan.about](charger) for charger in chargers]
    latencies: list[int] = []
    kinds: Counter[int] = Counter()

    async def go_on(charger: Charger, say: Say) -> None:
        turn = plan.turn
        while perf_counter() < ends_at:
            asked_at = perf_counter_ns()
            answer = await say(charger, turn)
            latencies.append(perf_counter_ns() - asked_at)
            kinds[int(answer[1:2])] += 1
            turn += 1

    server, cpu, began = cpu_seconds(plan.pids), process_time(), perf_counter()
    ends_at = began + plan.seconds
    await asyncio.gather(*map(go_on, chargers, says))
    found = Measured(
        seconds=perf_counter() - began,
        latencies=latencies,
        statuses=dict(kinds),
        cpu_seconds=process_time() - cpu,
        program_seconds=cpu_seconds(plan.pids) - server,
    )
    _close(chargers)
    return found


@dataclass(frozen=True)
class Came:
    """How many came, when the last of them had its answer, and how often they tried."""

    chargers: int
    seconds: float
    median_seconds: float
    tries: int
    memory_bytes: int


def storm(port: int, pids: Sequence[int], count: int) -> Came:
    """All connect at the same moment and say that they have started."""
    return run(_storm(port, pids, count))


async def _storm(port: int, pids: Sequence[int], count: int) -> Came:
    rng = random.Random(count)  # noqa: S311
    chargers: list[Charger] = []
    answered: list[float] = []
    tries = 0

    async def come(number: int) -> None:
        nonlocal tries
        while perf_counter() - began < PATIENCE_SECONDS:
            tries += 1
            with suppress(Refused, Gone, OSError):
                charger = await Charger.connect(port, identity(number), KEY)
                chargers.append(charger)
                await charger.call("BootNotification", BOOT)
                answered.append(perf_counter() - began)
                return
            await asyncio.sleep(rng.uniform(*TRY_AGAIN_SECONDS))

    began = perf_counter()
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(*map(come, range(1, count + 1)))
    answered.sort()
    found = Came(
        len(answered),
        answered[-1] if answered else 0.0,
        answered[len(answered) // 2] if answered else 0.0,
        tries,
        rss_bytes(pids),
    )
    _close(chargers)
    return found


def hold(port: int, pids: Sequence[int], count: int, seconds: float) -> tuple[int, int]:
    """Connect so many and be silent. Return how many stayed, and the server's bytes."""
    return run(_hold(port, pids, count, seconds))


async def _hold(
    port: int, pids: Sequence[int], count: int, seconds: float
) -> tuple[int, int]:
    chargers = await connected(port, range(1, count + 1))
    await asyncio.sleep(seconds)
    found = sum(charger.is_open for charger in chargers), rss_bytes(pids)
    _close(chargers)
    return found


async def connected(port: int, numbers: Sequence[int]) -> list[Charger]:
    turns = asyncio.Semaphore(CONNECTING)

    async def connect(number: int) -> Charger:
        async with turns:
            return await Charger.connect(port, identity(number), KEY)

    return await asyncio.gather(*map(connect, numbers))


def _close(chargers: Sequence[Charger]) -> None:
    for charger in chargers:
        charger.close()


def raise_file_limit() -> None:
    """Ten thousand sockets are as many files; the limit for most is 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, MEANT_TO_FIT)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def run(main: Coroutine[Any, Any, T]) -> T:
    raise_file_limit()
    gc.disable()  # A pause of ours would look like one of theirs.
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(main)
    finally:
        gc.enable()
