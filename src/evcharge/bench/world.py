"""A made-up network of any size: the same seed makes the same one.

A large one begins with the small one: location 7 is the same in both.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field, fields
from datetime import datetime, timedelta
from uuid import UUID

from evcharge.accounts.rules.tokens import PREFIX, token_hash
from evcharge.bookings.rules import Slot, slot_no, slot_start
from evcharge.demo.places import Place, places
from evcharge.stations.rules import Access, ConnectorKind, ReportedStatus
from evcharge.stations.rules.entries import search_text
from evcharge.stations.rules.finding import (
    LEVELS,
    Ground,
    Offer,
    SearchRow,
    search_rows,
    traits_of,
)
from evcharge.tariffs.rules.per_kwh import hourly_paise_per_kwh

SEED = 20_261_123
BATCH = 5_000
PRICE_PAISE = 12_000

Value = str | int | float | None
Row = tuple[Value, ...]

# Tables in an order that foreign keys allow, with the columns that are filled.
COLUMNS = {
    "operators": "id name name_key created_at",
    "users": "id name email email_key password_hash role status created_at",
    "rfid_tags": "uid user_id label is_blocked created_at",
    "logins": "id user_id device created_at expires_at token_hash",
    "locations": "id operator_id name address city state pincode lat lon timezone"
    " opening_hours amenities search_text is_active created_at version",
    "chargers": "id location_id identity vendor model heartbeat_seconds last_seen_at"
    " created_at version",
    "charger_keys": "charger_id salt digest created_at",
    "evses": "id charger_id number lifecycle booking_price_paise paise_per_kwh version",
    "connectors": "id evse_id number kind power_w reported_status reported_at",
    "bookings": "id reference user_id evse_id starts_at ends_at status payment_status"
    " amount_paise paid_paise price_paise_per_hour free_until_minutes late_percent"
    " request_hash created_at sequence version",
    "slot_claims": "evse_id slot_no kind booking_id",
    "location_connectors": " ".join(each.name for each in fields(SearchRow)),
    "location_cells": "kind north east locations",
    "map_cells": "level kind north east locations sum_lat_e6 sum_lon_e6",
}

PLUGS = (
    (ConnectorKind.CCS2, 60_000, 40),
    (ConnectorKind.CCS2, 120_000, 15),
    (ConnectorKind.TYPE2, 22_000, 15),
    (ConnectorKind.BHARAT_AC_001, 3_300, 10),
    (ConnectorKind.LEV_DC, 7_000, 10),
    (ConnectorKind.CHADEMO, 50_000, 5),
    (ConnectorKind.SOCKET_16A, 3_300, 5),
)
KINDS_AND_POWERS = [(kind, power_w) for kind, power_w, _ in PLUGS]
SHARES = [share for _, _, share in PLUGS]
# EVSEs of a location, and in how many of twenty locations there are so many.
SIZES, SIZE_SHARES = (1, 2, 3, 4, 6), (9, 6, 2, 2, 1)
LARGE = 1  # The location that has six EVSEs whatever the dice say.
PER_CHARGER = 2
HEARTBEAT_SECONDS = 3600  # Nobody falls silent while we measure.
EVERY_SO_MANY = 20  # One EVSE in so many is booked for an hour, beginning
SOON = 48  # within so many quarter hours.


@dataclass
class Rows:
    """A batch on its way into the database, by table."""

    tables: dict[str, list[Row]] = field(
        default_factory=lambda: {name: [] for name in COLUMNS}
    )

    def add(self, table: str, *values: Value) -> None:
        self.tables[table].append(values)


@dataclass
class World:
    """`now` is when all was heard of and made; there is one token for each driver."""

    now: datetime
    locations: int
    drivers: int
    evses: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._rng = random.Random(SEED)  # noqa: S311 - the same for everybody.
        self._towns = places()
        self._chargers = self._plugs = self._bookings = 0
        self._cells: Counter[tuple[str, int, int]] = Counter()
        self._map: dict[tuple[int, str, int, int], list[int]] = {}
        self._now = instant(self.now)

    def batches(self) -> Iterator[Rows]:
        """Yield everything, a part at a time. Only once."""
        rows = Rows()
        rows.add("operators", 1, "Bench Power", "bench power", self._now)
        for number in range(1, self.drivers + 1):
            self._add_driver(rows, number)
        yield rows
        for first in range(1, self.locations + 1, BATCH):
            rows = Rows()
            for number in range(first, min(first + BATCH, self.locations + 1)):
                self._add_location(rows, number)
            yield rows
        rows = Rows()
        for cell, locations in sorted(self._cells.items()):
            rows.add("location_cells", *cell, locations)
        for key, sums in sorted(self._map.items()):
            rows.add("map_cells", *key, *sums)
        yield rows

    def _add_driver(self, rows: Rows, number: int) -> None:
        email = f"driver{number}@example.net"
        name = f"Driver {number}"
        rows.add(
            "users", number, name, email, email, "!", "driver", "active", self._now
        )
        rows.add(
            "logins",
            UUID(int=number).hex,
            number,
            "bench",
            self._now,
            instant(self.now + timedelta(days=30)),
            token_hash(token(number)),
        )

    def _add_location(self, rows: Rows, number: int) -> None:
        town = self._rng.choice(self._towns)
        lat, lon = self._position(town)
        name, address = f"{town.city} site {number}", f"{number} Station Road"
        rows.add(
            "locations",
            number,
            1,
            name,
            address,
            town.city,
            town.state,
            town.pincode,
            lat,
            lon,
            "Asia/Kolkata",
            "24/7",
            "[]",
            search_text(
                name=name,
                city=town.city,
                state=town.state,
                pincode=town.pincode,
                address=address,
            ),
            1,
            self._now,
            1,
        )
        size = self._rng.choices(SIZES, SIZE_SHARES)[0]
        offers = self._add_chargers(rows, number, 6 if number == LARGE else size)
        ground = Ground(number, lat, lon, 1, traits_of(Access.PUBLIC, ()))
        for row in search_rows(ground, offers):
            rows.add("location_connectors", *astuple(row))
            self._count(row)

    def _count(self, row: SearchRow) -> None:
        self._cells[row.cell] += 1
        spot = row.spot
        for level in LEVELS:
            sums = self._map.setdefault((level, spot.kind, *spot.cell(level)), [0] * 3)
            for index, value in enumerate((1, spot.lat_e6, spot.lon_e6)):
                sums[index] += value

    def _position(self, town: Place) -> tuple[float, float]:
        """Most stand in and around towns, the others anywhere between them."""
        spread = 0.08 if self._rng.random() < 0.7 else 1.5
        lat = self._rng.gauss(town.lat, spread)
        lon = self._rng.gauss(town.lon, spread)
        return round(min(max(lat, 6.8), 36.0), 6), round(min(max(lon, 68.2), 97.0), 6)

    def _add_chargers(
        self, rows: Rows, location: int, evses: int
    ) -> dict[ConnectorKind | None, Offer]:
        """Return what is offered there of each kind of plug."""
        offers: dict[ConnectorKind | None, Offer] = {}
        for number in range(evses):
            if number % PER_CHARGER == 0:
                self._chargers += 1
                identity = f"BENCH-{self._chargers}"
                rows.add(
                    "chargers",
                    self._chargers,
                    location,
                    identity,
                    "",
                    "",
                    HEARTBEAT_SECONDS,
                    self._now,
                    self._now,
                    1,
                )
            kind, power_w = self._add_evse(rows, number % PER_CHARGER + 1)
            known = offers.get(kind, Offer(0))
            price = hourly_paise_per_kwh(PRICE_PAISE, power_w)
            offers[kind] = Offer(
                max(power_w, known.max_power_w), min(price, known.paise_per_kwh)
            )
        return offers

    def _add_evse(self, rows: Rows, number: int) -> tuple[ConnectorKind, int]:
        self.evses += 1
        evse = self.evses
        kind, power_w = self._rng.choices(KINDS_AND_POWERS, SHARES)[0]
        price = hourly_paise_per_kwh(PRICE_PAISE, power_w)
        rows.add("evses", evse, self._chargers, number, "active", PRICE_PAISE, price, 1)
        status = (
            ReportedStatus.AVAILABLE
            if self._rng.random() < 0.8
            else ReportedStatus.CHARGING
        )
        self._plugs += 1
        rows.add(
            "connectors",
            self._plugs,
            evse,
            1,
            kind.value,
            power_w,
            status.value,
            self._now,
        )
        if evse % EVERY_SO_MANY == 0 and self.drivers:
            first = slot_no(self.now) + self._rng.randrange(1, SOON)
            slot = Slot(slot_start(first), slot_start(first + 4))
            self._add_booking(rows, evse, slot)
        return kind, power_w

    def _add_booking(self, rows: Rows, evse: int, slot: Slot) -> None:
        self._bookings += 1
        number = self._bookings
        booking = UUID(int=number).hex
        rows.add(
            "bookings",
            booking,
            f"B-{number}",
            number % self.drivers + 1,
            evse,
            instant(slot.starts_at),
            instant(slot.ends_at),
            "ACTIVE",
            "PAID",
            0,  # Nothing to pay, so that the books are right without a payment.
            0,
            0,
            60,
            50,
            "-",
            self._now,
            0,
            1,
        )
        for quarter in slot.quarters:
            rows.add("slot_claims", evse, quarter, "booking", booking)


def token(driver: int) -> str:
    """Return the bearer token of a driver, counted from one."""
    return f"{PREFIX}bench-{driver}"


def instant(at: datetime) -> str:
    """Return it as SQLite stores it; PostgreSQL reads the same, in UTC."""
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")
