"""A made-up fleet: chargers with keys, one plug each, some of them at each location."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from evcharge.bench.world import HEARTBEAT_SECONDS, PRICE_PAISE, Rows, instant
from evcharge.control.rules import KeyHash
from evcharge.stations.rules import ConnectorKind, ReportedStatus

KEY = "bench-0123456789-abc"  # All of them have it; its hash is salted for each.
CARD = "BENCHCARD"  # With it, whoever is not booked may charge.


@dataclass(frozen=True)
class Fleet:
    """Charger 7 has the id 7, and so have its EVSE and its plug."""

    now: datetime
    chargers: int
    per_location: int = 10

    def batches(self) -> Iterator[Rows]:
        """Yield everything at once."""
        rows, now = Rows(), instant(self.now)
        rows.add("operators", 1, "Bench Power", "bench power", now)
        email = "driver@example.net"
        rows.add("users", 1, "Driver", email, email, "!", "driver", "active", now)
        rows.add("rfid_tags", CARD, 1, "", 0, now)
        for number in range(1, location_of(self, self.chargers) + 1):
            self._add_location(rows, number, now)
        for number in range(1, self.chargers + 1):
            self._add_charger(rows, number, now)
        yield rows

    def _add_location(self, rows: Rows, number: int, now: str) -> None:
        address = f"{number} Station Road", "Pune", "Maharashtra", "411001"
        place = 18.5 + number % 100 / 100, 73.8 + number // 100 / 100, "Asia/Kolkata"
        name = f"Site {number}"
        rest = "24/7", "[]", name.lower(), 1, now, 1
        rows.add("locations", number, 1, name, *address, *place, *rest)

    def _add_charger(self, rows: Rows, number: int, now: str) -> None:
        place, name = location_of(self, number), identity(number)
        seen = HEARTBEAT_SECONDS, now, now, 1
        rows.add("chargers", number, place, name, "", "", *seen)
        rows.add("evses", number, number, 1, "active", PRICE_PAISE, None, 1)
        kind = ConnectorKind.CCS2.value, 60_000, ReportedStatus.AVAILABLE.value, now
        rows.add("connectors", number, number, 1, *kind)
        hashed = KeyHash.of(KEY.encode())
        rows.add("charger_keys", number, hashed.salt, hashed.digest, now)


def identity(number: int) -> str:
    return f"BENCH-{number}"


def location_of(fleet: Fleet, number: int) -> int:
    return (number - 1) // fleet.per_location + 1
