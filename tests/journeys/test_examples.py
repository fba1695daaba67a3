"""The example programs, run as their README says, against a demo that runs."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from examples.evcharge_client import Booking, Client, Refused
from program import Program

EXAMPLES = Path(__file__).parents[2] / "examples"
INDIA = timezone(timedelta(hours=5, minutes=30))
HOUR = timedelta(hours=1)
EVSE = 3


@pytest.fixture
def client(demo: Program) -> Iterator[Client]:
    client = Client.log_in(demo.url(""), "driver@example.com", "charge-demo-1")
    yield client
    client.log_out()


def afternoon(*, days_ahead: int) -> datetime:
    noon = datetime.now(INDIA).replace(hour=12, minute=0, second=0, microsecond=0)
    return noon + timedelta(days=days_ahead, hours=3)


def test_a_slot_is_booked_in_less_than_twenty_lines(
    demo: Program, client: Client
) -> None:
    program = EXAMPLES / "book_a_slot.py"

    run = subprocess.run(
        [sys.executable, program, demo.url(""), "6"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (run.returncode, run.stderr) == (0, "")
    said = re.fullmatch(r"(EV-\w{6}): .+, .+, \w{3} \d\d \w{3} 15:00\n", run.stdout)
    assert said
    [booking] = [one for one in client.bookings() if one.reference == said[1]]
    assert (booking.payment_status, booking.due_paise) == ("PAID", 0)
    assert booking.starts_at == afternoon(days_ahead=6)
    client.cancel(booking.id)
    lines = program.read_text().splitlines()
    assert len([line for line in lines if line]) < 20


def test_a_booking_is_made_moved_paid_and_cancelled(client: Client) -> None:
    start = afternoon(days_ahead=7)
    booking = client.book(EVSE, start, start + HOUR)
    with pytest.raises(Refused) as dearer:
        client.move(booking.id, start, start + 2 * HOUR)
    price = dearer.value.problem["amount"]["amount_paise"]
    moved = client.move(booking.id, start, start + 2 * HOUR, accept_amount_paise=price)
    assert "/simulated-gateway/" in client.pay(booking.id)
    client.pay(booking.id, outcome="succeed")

    paid = client.booking(booking.id)
    cancelled = client.cancel(booking.id)

    assert dearer.value.code == "price_changed"
    assert moved.amount_paise == price > booking.amount_paise
    assert (paid.status, paid.payment_status) == ("ACTIVE", "PAID")
    assert cancelled.status == "CANCELLED"


def test_who_comes_second_is_told_what_else_is_free(client: Client) -> None:
    start = afternoon(days_ahead=8)
    booking = client.book(EVSE, start, start + HOUR)
    assert EVSE not in [one.id for one in client.free_evses(1, start, start + HOUR)]

    with pytest.raises(Refused) as taken:
        client.book(EVSE, start, start + HOUR)

    assert (taken.value.code, taken.value.status) == ("slot_taken", 409)
    assert len(taken.value.problem["alternatives"]) == 3
    client.cancel(booking.id)


def test_one_key_is_one_booking(client: Client) -> None:
    start = afternoon(days_ahead=9)

    tries = [
        client.book(EVSE, start, start + HOUR, key="once-and-only-once")
        for _ in range(2)
    ]

    assert tries[0].id == tries[1].id
    client.cancel(tries[0].id)


def test_a_list_goes_on_to_its_end(client: Client) -> None:
    locations = list(client.locations(near=(12.97, 77.59)))

    assert len(locations) > 50  # More than one part of the list.
    assert len({location.id for location in locations}) == len(locations)
    distances = [location.distance_m or 0 for location in locations]
    assert distances == sorted(distances)


def test_a_wrong_password_is_refused_with_its_code(demo: Program) -> None:
    with pytest.raises(Refused) as refused:
        Client.log_in(demo.url(""), "driver@example.com", "a guess")

    assert refused.value.code == "wrong_credentials"
    assert "do not belong together" in str(refused.value)


# A network that breaks


@contextmanager
def broken_site(*outcomes: str) -> Iterator[tuple[str, list[str]]]:
    """Something that answers, hangs up or is busy, and what keys it was sent."""
    left, keys = list(outcomes), []

    class Site(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            keys.append(self.headers["Idempotency-Key"])
            outcome = left.pop(0)
            if outcome == "hangs up":
                self.close_connection = True
                return
            self.send_response(503 if outcome == "busy" else 201)
            if outcome == "busy":
                self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(BOOKED if outcome == "books" else b"<html>")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Site) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", keys
        server.shutdown()
        thread.join()


BOOKED = b"""{"id": "1", "reference": "EV-AAAAAA", "status": "ACTIVE",
"payment_status": "PENDING", "evse_id": 3, "starts_at": "2026-11-28T09:30:00Z",
"ends_at": "2026-11-28T10:30:00Z", "amount": {"amount_paise": 1}, "more": "to come",
"due": {"amount_paise": 1}, "hold_expires_at": null}"""


def book(site: str) -> Booking:
    start = afternoon(days_ahead=1)
    return Client(site, "evc_x").book(3, start, start + HOUR)


@pytest.mark.parametrize("outcome", ["hangs up", "busy"])
def test_a_booking_without_an_answer_is_asked_for_again_with_the_same_key(
    outcome: str,
) -> None:
    with broken_site(outcome, "books") as (site, keys):
        booking = book(site)

    assert booking.reference == "EV-AAAAAA"
    assert len(keys) == 2
    assert keys[0] == keys[1] != ""


def test_it_is_not_asked_for_for_ever() -> None:
    with broken_site(*["busy"] * 4) as (site, keys), pytest.raises(Refused) as refused:
        book(site)

    assert refused.value.status == 503
    assert len(keys) == 3


def test_what_could_happen_twice_is_asked_for_once() -> None:
    with (
        broken_site("hangs up", "books") as (site, keys),
        pytest.raises(OSError, match="closed"),
    ):
        Client(site, "evc_x").pay("1")

    assert len(keys) == 1


def test_a_site_without_its_scheme_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="http"):
        Client("charge.example.com")
