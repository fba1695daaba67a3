"""A small client of the evcharge API, in one file of plain Python 3.11.

Copy it into your program. It shows what a driver needs; `/api/docs` has the rest.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

TRIES = 3


class Refused(Exception):
    """The API said no. Programs go by `code`; `problem` is all that it said."""

    def __init__(self, problem: Mapping[str, Any], status: int) -> None:
        super().__init__(f"{problem.get('code', status)}: {problem.get('detail', '')}")
        self.code = str(problem.get("code", "unknown"))
        self.status = status
        self.problem = problem


@dataclass(frozen=True)
class Location:
    id: int
    name: str
    city: str
    lat: float
    lon: float
    distance_m: int | None

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        distance = said.get("distance_m")
        return cls(
            said["id"], said["name"], said["city"], said["lat"], said["lon"], distance
        )


@dataclass(frozen=True)
class Evse:
    """What one vehicle stands at, and what is booked."""

    id: int
    charger: str
    number: int
    status: str
    is_bookable: bool
    plugs: frozenset[str]
    max_power_w: int
    paise_per_hour: int

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        plugs = said["connectors"]
        return cls(
            id=said["id"],
            charger=said["charger"],
            number=said["number"],
            status=said["status"],
            is_bookable=said["is_bookable"],
            plugs=frozenset(plug["kind"] for plug in plugs),
            max_power_w=max((plug["power_w"] for plug in plugs), default=0),
            paise_per_hour=said["price_per_hour"]["amount_paise"],
        )


@dataclass(frozen=True)
class Booking:
    id: str
    reference: str
    status: str
    payment_status: str
    evse_id: int
    starts_at: datetime
    ends_at: datetime
    amount_paise: int
    due_paise: int
    hold_expires_at: datetime | None

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        until = said["hold_expires_at"]
        return cls(
            id=said["id"],
            reference=said["reference"],
            status=said["status"],
            payment_status=said["payment_status"],
            evse_id=said["evse_id"],
            starts_at=datetime.fromisoformat(said["starts_at"]),
            ends_at=datetime.fromisoformat(said["ends_at"]),
            amount_paise=said["amount"]["amount_paise"],
            due_paise=said["due"]["amount_paise"],
            hold_expires_at=datetime.fromisoformat(until) if until else None,
        )


class Client:
    """What one token can do at one evcharge. Times need an offset."""

    def __init__(
        self, site: str, token: str | None = None, *, timeout: float = 10
    ) -> None:
        if not site.startswith(("http://", "https://")):
            raise ValueError("site begins with http:// or https://")
        self._api = site.rstrip("/") + "/api/v1"
        self._token = token
        self._timeout = timeout

    @classmethod
    def log_in(
        cls, site: str, email: str, password: str, *, name: str = "A program"
    ) -> Self:
        body = {"email": email, "password": password, "name": name}
        token = cls(site)._call("POST", "/tokens", body=body)["token"]
        return cls(site, token)

    def log_out(self) -> None:
        self._call("DELETE", "/tokens/current")

    def locations(
        self,
        *,
        near: tuple[float, float] | None = None,
        words: str | None = None,
        connector: str | None = None,
        min_kw: float | None = None,
        free: tuple[datetime, datetime] | None = None,
    ) -> Iterator[Location]:
        """Find locations, the nearest first; the next part is asked for when needed."""
        query: dict[str, object] = {
            "near": near and f"{near[0]:.6f},{near[1]:.6f}",
            "q": words,
            "connector": connector,
            "min_kw": min_kw,
            "free_from": free and free[0].isoformat(),
            "free_to": free and free[1].isoformat(),
        }
        return map(Location.read, self._all("/locations", query))

    def evses(self, location_id: int) -> list[Evse]:
        location = self._call("GET", f"/locations/{location_id}")
        return [Evse.read(said) for said in location["evses"]]

    def free_evses(
        self, location_id: int, starts_at: datetime, ends_at: datetime
    ) -> list[Evse]:
        """Those of a location that can be booked for this slot."""
        return [
            evse
            for evse in self.evses(location_id)
            if self._is_free(evse.id, starts_at, ends_at)
        ]

    def book(
        self,
        evse_id: int,
        starts_at: datetime,
        ends_at: datetime,
        *,
        key: str | None = None,
    ) -> Booking:
        """Book a slot. Raises: Refused, such as `slot_taken` with `alternatives`.

        The key makes one booking of however many tries it takes. Give your own where
        your program, too, may come back after a crash.
        """
        body = {"evse_id": evse_id, **_slot(starts_at, ends_at)}
        headers = {"Idempotency-Key": key or str(uuid4())}
        return Booking.read(self._call("POST", "/bookings", body=body, headers=headers))

    def booking(self, booking_id: str) -> Booking:
        return Booking.read(self._call("GET", f"/bookings/{booking_id}"))

    def bookings(self, *, status: str | None = None) -> Iterator[Booking]:
        """Your bookings, the latest start first."""
        return map(Booking.read, self._all("/bookings", {"status": status}))

    def pay(self, booking_id: str, *, outcome: str | None = None) -> str:
        """Return where the driver's browser goes to pay.

        With simulated payments, `outcome` ends it at once: "succeed" or "fail".
        """
        body = {"outcome": outcome} if outcome else None
        paid = self._call("POST", f"/bookings/{booking_id}/pay", body=body)
        return str(paid["checkout_url"])

    def move(
        self,
        booking_id: str,
        starts_at: datetime,
        ends_at: datetime,
        *,
        evse_id: int | None = None,
        accept_amount_paise: int | None = None,
    ) -> Booking:
        """Move a booking. Raises: Refused, such as `price_changed` with `amount`."""
        body = {
            **_slot(starts_at, ends_at),
            "evse_id": evse_id,
            "accept_amount_paise": accept_amount_paise,
        }
        return Booking.read(
            self._call("POST", f"/bookings/{booking_id}/move", body=body)
        )

    def cancel(self, booking_id: str) -> Booking:
        return Booking.read(self._call("POST", f"/bookings/{booking_id}/cancel"))

    def _is_free(self, evse_id: int, starts_at: datetime, ends_at: datetime) -> bool:
        query = {"from": starts_at.isoformat(), "to": ends_at.isoformat()}
        asked = self._call("GET", f"/evses/{evse_id}/availability", query=query)
        return any(
            datetime.fromisoformat(stretch["starts_at"]) <= starts_at
            and ends_at <= datetime.fromisoformat(stretch["ends_at"])
            for stretch in asked["free"]
        )

    def _all(self, path: str, query: Mapping[str, object]) -> Iterator[dict[str, Any]]:
        cursor = None
        while True:
            page = self._call("GET", path, query={**query, "cursor": cursor})
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Ask, and ask again when no answer came or there were too many questions."""
        given = {
            name: value for name, value in (query or {}).items() if value is not None
        }
        address = self._api + path + ("?" + urlencode(given) if given else "")
        request = Request(address, method=method, headers=dict(headers or {}))  # noqa: S310
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        for left in reversed(range(TRIES)):
            try:
                with urlopen(request, timeout=self._timeout) as answer:  # noqa: S310
                    return _read_json(answer.read())
            except HTTPError as error:
                with error:
                    refused = Refused(_read_json(error.read()), error.code)
                if not left or error.code not in (429, 503):
                    raise refused from None
                time.sleep(_patience(error))
            except (OSError, HTTPException):
                if not left or not _may_repeat(method, headers):
                    raise
                time.sleep(1)
        raise AssertionError("the last try returns or raises")


def _slot(starts_at: datetime, ends_at: datetime) -> dict[str, object]:
    return {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}


def _read_json(content: bytes) -> dict[str, Any]:
    """What was said; nothing, where something between us and the API answered."""
    try:
        said = json.loads(content or b"{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _patience(error: HTTPError) -> float:
    said = error.headers.get("Retry-After", "")
    return min(float(said), 60) if said.isdigit() else 1


def _may_repeat(method: str, headers: Mapping[str, str] | None) -> bool:
    """Whether it does no harm if the first one arrived after all."""
    return method != "POST" or "Idempotency-Key" in (headers or {})
