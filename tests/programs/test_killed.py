"""The server is killed under load, again and again: nothing is lost or sold twice.

Drivers sign up, book, pay and cancel over HTTP as fast as they can; SIGKILL comes in
the middle. What was started must be whole or not there, and paid money must find its
booking after the restart.
"""

import random
import re
import sqlite3
import subprocess
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from http.client import HTTPException
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from program import EVCHARGE, Program

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
TIMES = re.compile(r'name="starts_at"\s+value="([^"]+)"')
DRIVERS = 6
EVSES = range(1, 4)  # Few, so that they are in each other's way.

# Money that the gateway took and we do not know of yet.
UNKNOWN_MONEY = """
    SELECT count(*) FROM payments JOIN simulated_orders
    ON simulated_orders.ref = payments.provider_ref
    WHERE simulated_orders.status = 'PAID' AND payments.status = 'PENDING'
"""


class Driver:
    """Somebody in a hurry, with a browser that keeps cookies."""

    def __init__(self, server: Program, number: int, killed: threading.Event) -> None:
        self._server = server
        self._killed = killed
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))
        self._choose = random.Random(number)  # noqa: S311
        self.done: Counter[str] = Counter()
        self.failed: str | None = None
        self._send(
            "/signup",
            name="Ravi Kumar",
            email=f"ravi{number}-{time.monotonic_ns()}@example.com",
            password="a long way to Leh",
            password_again="a long way to Leh",
        )

    def hurry_until_killed(self) -> None:
        try:
            while True:
                self._book_pay_and_perhaps_cancel()
        except (URLError, HTTPException, ConnectionError, TimeoutError):
            # The server is gone: that was the point. Before that, it must answer.
            self.failed = None if self._killed.is_set() else traceback.format_exc()

    def _book_pay_and_perhaps_cancel(self) -> None:
        evse = self._choose.choice(EVSES)
        page = f"/evses/{evse}/book?minutes=30&day={self._choose.choice(self.days)}"
        times = TIMES.findall(self._get(page))
        if not times:
            return
        booking, _ = self._send(
            page,
            to=f"/evses/{evse}/book",
            key=str(self._choose.random()),
            starts_at=self._choose.choice(times),
            minutes="30",
        )
        if "/bookings/" not in booking:
            self.done["refused"] += 1
            return
        self.done["booked"] += 1
        gateway, _ = self._send(booking, to=f"{booking}/pay")
        if "/simulated-gateway/" in gateway:
            self._send(gateway, choice="pay", method="upi")
            self.done["paid"] += 1
        if self._choose.random() < 0.8:  # Few may be kept: there is a limit.
            self._send(f"{booking}/cancel")
            self.done["cancelled"] += 1

    @property
    def days(self) -> list[str]:
        now = time.time() + 19_800
        return [
            time.strftime("%Y-%m-%d", time.gmtime(now + day * 86_400))
            for day in range(1, 4)
        ]

    def _get(self, path: str) -> str:
        with self._opener.open(self._server.url(path), timeout=20) as answer:
            return str(answer.read().decode())

    def _send(self, page: str, *, to: str = "", **fields: str) -> tuple[str, str]:
        """Fill in the form of a page. Return where it led, and what is there."""
        [token, *_] = TOKEN.findall(self._get(page))
        form = urlencode({"csrf_token": token} | fields).encode()
        try:
            with self._opener.open(
                self._server.url(to or page), form, timeout=20
            ) as answer:
                path = answer.geturl().removeprefix(self._server.url(""))
                return path, answer.read().decode()
        except HTTPError as refusal:
            with refusal:
                if refusal.code not in (409, 422):
                    raise
                return "", refusal.read().decode()


def hurry(server: Program, *, seconds: float) -> Counter[str]:
    killed = threading.Event()
    drivers = [Driver(server, number, killed) for number in range(DRIVERS)]
    threads = [threading.Thread(target=each.hurry_until_killed) for each in drivers]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    killed.set()
    server.process.kill()
    server.process.wait()
    for thread in threads:
        thread.join(30)
    assert [each.failed for each in drivers] == [None] * DRIVERS, server.said()
    return sum((each.done for each in drivers), Counter())


def unknown_money(folder: Path) -> int:
    connection = sqlite3.connect(folder / "data" / "evcharge.db")
    try:
        return int(connection.execute(UNKNOWN_MONEY).fetchone()[0])
    finally:
        connection.close()


@pytest.mark.timeout(170)
def test_a_server_killed_under_load_loses_nothing(
    start: Callable[..., Program],
    environment: Callable[..., dict[str, str]],
    tmp_path: Path,
) -> None:
    settings = {"rate_limits": "off", "booking_most_upcoming": 1000}
    done: Counter[str] = Counter()

    for _ in range(3):
        server = start("demo", **settings).wait_for("/readyz")
        done += hurry(server, seconds=4)
        audit = subprocess.run(
            [EVCHARGE, "audit"],
            env=environment(**settings),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert audit.returncode == 0, audit.stdout + audit.stderr

    assert done["paid"] > 10, done
    assert done["cancelled"] > 10, done
    start("demo", **settings).wait_for("/readyz")
    deadline = time.monotonic() + 60
    while unknown_money(tmp_path):
        assert time.monotonic() < deadline, "paid, and nobody was told"
        time.sleep(0.5)
