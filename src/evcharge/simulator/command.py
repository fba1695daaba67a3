"""`evcharge simulate`: chargers to try a server with, or to load one."""

import asyncio
import signal
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from evcharge.simulator.build import Plan
from evcharge.simulator.clock import Clock
from evcharge.simulator.fleet import Fleet
from evcharge.simulator.ledger import Ledger
from evcharge.simulator.spec import BadSpec, ChargerSpec, made_up, read_spec
from evcharge.simulator.trouble import Trouble

SAY_EVERY = 60.0
LONGEST_LINE = 1_000_000
FROM_STDIN = "-"


@click.command()
@click.option("--url", default="ws://127.0.0.1:5000/ocpp", show_default=True)
@click.option(
    "--chargers", type=click.IntRange(1, 20_000), default=5, show_default=True
)
@click.option(
    "--version",
    type=click.Choice(["1.6", "2.0.1", "mixed"]),
    default="mixed",
    show_default=True,
)
@click.option("--key", default="", help="The key all of them connect with.")
@click.option("--identity-prefix", default="SIM", show_default=True)
@click.option(
    "--card", "cards", multiple=True, help="What drivers show; may be given often."
)
@click.option(
    "--fleet",
    help="A file with a line of JSON for each charger, instead of --chargers. "
    "With - they come by standard input, whose end is the end.",
)
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--speed",
    type=click.FloatRange(0.1, 10_000),
    default=1.0,
    show_default=True,
    help="How fast time goes.",
)
@click.option("--meter-seconds", type=click.IntRange(1, 3600), default=60)
@click.option("--spread", type=click.FloatRange(0), default=20.0, help="In seconds.")
@click.option(
    "--busy", type=click.FloatRange(0, 1), help="The share of plugs in use, always."
)
@click.option(
    "--trouble",
    type=click.FloatRange(0, 1000),
    default=1.0,
    show_default=True,
    help="0: nothing breaks. 2: twice as often.",
)
@click.option(
    "--stay",
    "stay_scale",
    type=click.FloatRange(0.01, 100),
    default=1.0,
    help="How long vehicles stay, against what is usual.",
)
@click.option("--ledger", type=click.Path(path_type=Path), help="JSON, a line each.")
@click.option("--settle", is_flag=True, help="At the end, stop what charges.")
def simulate(
    *,
    url: str,
    chargers: int,
    version: str,
    key: str,
    identity_prefix: str,
    cards: tuple[str, ...],
    fleet: str | None,
    seed: int,
    speed: float,
    meter_seconds: int,
    spread: float,
    busy: float | None,
    trouble: float,
    stay_scale: float,
    ledger: Path | None,
    settle: bool,
) -> None:
    """Run chargers made of software against a server.

    They live like real ones: drivers come and go by the hour of the day, things break,
    networks fail. They do what the server asks for.
    """
    plan = Plan(
        url=url,
        seed=seed,
        spread_seconds=spread,
        meter_seconds=meter_seconds,
        busy=busy,
        stay_scale=stay_scale,
        trouble=Trouble(trouble),
        comes_at_start=fleet is None,
    )
    if fleet is None:
        specs: Iterable[ChargerSpec] = made_up(
            chargers,
            prefix=identity_prefix,
            key=key,
            version=version,
            cards=cards,
            seed=seed,
        )
    else:
        specs = _read(fleet)
    book = Ledger(ledger)
    try:
        asyncio.run(
            _run(
                Fleet(plan, clock=Clock(speed), ledger=book),
                specs,
                is_by_stdin=fleet == FROM_STDIN,
                is_settled=settle,
            )
        )
    finally:
        book.close()


def _read(fleet: str) -> list[ChargerSpec]:
    """Read a whole file. Standard input is read while we run."""
    if fleet == FROM_STDIN:
        return []
    try:
        lines = Path(fleet).read_text("utf-8").splitlines()
        return [read_spec(line) for line in lines if line.strip()]
    except (OSError, BadSpec) as error:
        raise click.ClickException(str(error)) from error


async def _run(
    fleet: Fleet, specs: Iterable[ChargerSpec], *, is_by_stdin: bool, is_settled: bool
) -> None:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end.set)
    for spec in specs:
        fleet.add(spec)
    fleet.begin()
    beside = [asyncio.create_task(_say(fleet))]
    if is_by_stdin:
        beside.append(asyncio.create_task(_take_in(fleet, end)))
    await end.wait()
    for task in beside:
        task.cancel()
    await fleet.end(is_settled=is_settled)
    await asyncio.gather(*beside, return_exceptions=True)
    click.echo(f"{_clock()} ended: {fleet.line()}")


async def _take_in(fleet: Fleet, end: asyncio.Event) -> None:
    """Add a charger for each line; whoever started us is gone when it ends."""
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        try:
            if line.strip():
                fleet.add(read_spec(line.decode()))
        except BadSpec as error:
            click.echo(f"evcharge simulate: {error}", err=True)
    end.set()


async def _say(fleet: Fleet) -> None:
    while True:
        await asyncio.sleep(SAY_EVERY)
        click.echo(f"{_clock()} {fleet.line()}")


def _clock() -> str:
    return datetime.now(UTC).strftime("%H:%M:%SZ")
