"""What a fleet is made of: a line of JSON for each charger, or so many alike."""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from evcharge.simulator.visits import Plug

VERSIONS = ("1.6", "2.0.1")
DEMO_PLUGS = (
    (Plug(1, "ccs2", 60_000),),
    (Plug(1, "type2", 7_400),),
    (Plug(1, "ccs2", 120_000),),
    (Plug(1, "type2", 22_000),),
)


class BadSpec(Exception):
    """A line that describes no charger."""


@dataclass(frozen=True)
class AtStart:
    """How an EVSE stands when the simulator starts.

    `state`: charging, finishing or faulted. A transaction that the server knows has a
    `number` (1.6) or `ref` with its last `seq_no` (2.0.1), and was metered at `since`;
    one it does not know began then. `until`: its driver has booked so long.
    """

    state: str
    connector: int
    since: float
    tag: str = ""
    number: int | None = None
    ref: str | None = None
    seq_no: int = -1
    meter_start_wh: int | None = None
    meter_wh: int | None = None
    until: float | None = None


@dataclass(frozen=True)
class EvseSpec:
    number: int
    plugs: tuple[Plug, ...]
    is_used: bool = True
    at_start: AtStart | None = None


@dataclass(frozen=True)
class ChargerSpec:
    """`opening`: minutes of the day in India. `cards`: of those who come by."""

    identity: str
    key: str
    version: str
    evses: tuple[EvseSpec, ...]
    vendor: str = "Simulated"
    model: str = "Charger"
    opening: tuple[int, int] | None = None
    cards: tuple[str, ...] = ()

    @property
    def site(self) -> str:
        """What shares a power supply."""
        return self.identity.rpartition("-")[0] or self.identity


def read_spec(line: str) -> ChargerSpec:
    """Raises: BadSpec."""
    try:
        return _charger(json.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadSpec(f"not a charger: {line[:80]!r} ({error!r})") from error


def made_up(
    count: int,
    *,
    prefix: str,
    key: str,
    version: str,
    cards: tuple[str, ...],
    seed: int,
) -> Iterator[ChargerSpec]:
    """Yield chargers SIM-0001, SIM-0002 … of one EVSE; `mixed`: versions in turn."""
    rng = random.Random(seed)  # noqa: S311
    versions = cycle(VERSIONS if version == "mixed" else (version,))
    for number in range(1, count + 1):
        evse = EvseSpec(1, rng.choice(DEMO_PLUGS))
        yield ChargerSpec(
            f"{prefix}-{number:04d}", key, next(versions), (evse,), cards=cards
        )


def _charger(fields: Mapping[str, Any]) -> ChargerSpec:
    if (version := fields["version"]) not in VERSIONS:
        raise ValueError(version)
    evses = tuple(_evse(each) for each in fields["evses"])
    if not evses:
        raise ValueError("no EVSE")
    opening = fields.get("hours")
    return ChargerSpec(
        identity=fields["identity"],
        key=fields["key"],
        version=version,
        evses=evses,
        vendor=fields.get("vendor", "Simulated"),
        model=fields.get("model", "Charger"),
        opening=(int(opening[0]), int(opening[1])) if opening else None,
        cards=tuple(fields.get("cards", ())),
    )


def _evse(fields: Mapping[str, Any]) -> EvseSpec:
    plugs = tuple(
        Plug(int(each["number"]), each["kind"], int(each["power_w"]))
        for each in fields["connectors"]
    )
    if not plugs:
        raise ValueError("no connector")
    at_start = fields.get("at_start")
    return EvseSpec(
        number=int(fields["number"]),
        plugs=plugs,
        is_used=fields.get("is_used", True),
        at_start=AtStart(**at_start) if at_start else None,
    )
