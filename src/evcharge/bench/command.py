"""`evcharge bench`: measures, says how far it is, and writes down what it found."""

import os
import re
import signal
import sys
from pathlib import Path
from types import FrameType

import click

NAMES = (
    "booking",
    "race",
    "search",
    "location",
    "start",
    "memory",
    "prototype",
    "ocpp_status",
    "ocpp_meter",
    "ocpp_idle",
    "ocpp_storm",
    "ocpp_live",
)
KINDS = ("sqlite", "postgresql")


@click.command()
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="Only this row.")
@click.option(
    "--database",
    "kinds",
    multiple=True,
    type=click.Choice(KINDS),
    help="Only on this database.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    callback=lambda _context, _option, given: _settings(given),
    help="Measure with this setting, for example web_threads=2.",
)
@click.option("--quick", is_flag=True, help="A trial run; its numbers mean nothing.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default="build/bench.json",
    show_default=True,
    help="Where to write everything as JSON.",
)
@click.option(
    "--docs",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="A document with a place for the tables; only for a full run.",
)
def bench(
    only: tuple[str, ...],
    kinds: tuple[str, ...],
    settings: dict[str, str],
    quick: bool,
    out: Path,
    docs: Path | None,
) -> None:
    """Measure how fast it is here, each thing beside a reference."""
    if docs and (only or kinds or settings or quick):
        raise click.UsageError("--docs wants all rows of one full run.")
    # Only now: it would slow down the start of every other command.
    from evcharge.bench.runner import run

    _forget_settings()
    signal.signal(signal.SIGTERM, _stop)
    done = run(
        [name for name in NAMES if not only or name in only],
        kinds=[kind for kind in KINDS if not kinds or kind in kinds],
        settings=settings,
        quick=quick,
        out=out,
        docs=docs,
        say=click.echo,
    )
    if not done:
        sys.exit(1)


def _settings(given: tuple[str, ...]) -> dict[str, str]:
    if not all(re.fullmatch(r"[a-z_]+=.*", each) for each in given):
        raise click.BadParameter("say NAME=VALUE, for example web_threads=2.")
    return dict(each.split("=", 1) for each in given)


def _forget_settings() -> None:
    """What is measured has settings of its own, whatever is set here."""
    for name in list(os.environ):
        if name.startswith("EVCHARGE_") or name == "PORT":
            del os.environ[name]


def _stop(_number: int, _frame: FrameType | None) -> None:
    """End as by Ctrl+C: stop the programs, remove what was made."""
    raise KeyboardInterrupt
