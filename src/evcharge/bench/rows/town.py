"""A small network with many drivers, and what they ask for."""

from datetime import datetime, timedelta

from evcharge.bench.databases import Databases
from evcharge.bench.lab import Lab
from evcharge.bench.load import http_request
from evcharge.bench.world import SOON, World, token
from evcharge.bookings.rules import QUARTER, slot_no, slot_start
from evcharge.kernel.clock import utc_now

BOOKINGS = "/api/v1/bookings"
SITES = 200
HOLDS = 2  # So many unpaid slots a driver may hold.
HOUR = timedelta(hours=1)


class Town:
    """A network on which nobody has asked for anything yet, to be copied."""

    def __init__(self, lab: Lab, *, drivers: int) -> None:
        world = World(utc_now(), SITES, drivers)
        self._urls = lab.filled(world)
        self.evses = world.evses
        self._drivers = drivers
        # Behind all that is booked in the world.
        self._first = slot_start(slot_no(world.now) + SOON) + HOUR + QUARTER

    def url(self, kind: Databases) -> str:
        return self._urls[kind.name]

    def bookings(self, first: int, end: int) -> list[bytes]:
        """Return requests for slots, of which no two want the same."""
        return [
            self._request(number, *self.own(number)) for number in range(first, end)
        ]

    def race(self, first: int, end: int, *, hour: int) -> list[bytes]:
        """Return requests of many drivers for one and the same slot."""
        return [self._request(number, 1, hour) for number in range(first, end)]

    def own(self, number: int) -> tuple[int, int]:
        """Return the EVSE and the hour that no other number wants."""
        hour, evse = divmod(number, self.evses)
        return evse + 1, hour

    def headers(self, number: int) -> dict[str, str]:
        """The driver whose turn it is, and a key for this booking alone."""
        return {"Idempotency-Key": f"bench-{number}"} | bearer(
            number % self._drivers + 1
        )

    def body(self, evse: int, hour: int) -> dict[str, object]:
        starts_at = self._first + hour * HOUR
        return {
            "evse_id": evse,
            "starts_at": rfc3339(starts_at),
            "ends_at": rfc3339(starts_at + HOUR),
        }

    def _request(self, number: int, evse: int, hour: int) -> bytes:
        return http_request(
            "POST", BOOKINGS, self.headers(number), self.body(evse, hour)
        )


def bearer(driver: int) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(driver)}"}


def rfc3339(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
