"""The proxy of compose.yaml, with its own Caddyfile, before real programs."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from program import EVCHARGE, Program, free_port
from visitor import Visitor

CADDY = Path(sys.executable).parent / "caddy"
CADDYFILE = Path(__file__).parents[2] / "deploy" / "Caddyfile"
WEB_THREADS = 4
LARGEST_BODY = 1_000_000


class Site:
    """The programs that compose.yaml starts, on ports of this machine."""

    def __init__(self, folder: Path, database_url: str, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._environment = {
            "PATH": os.environ["PATH"],
            "EVCHARGE_SECRET_KEY": "0123456789-abcdefgh-ABCDEFGH-xyz",
            "EVCHARGE_DATABASE_URL": database_url,
            "EVCHARGE_PROXIES": "1",
            "EVCHARGE_WEB_THREADS": str(WEB_THREADS),
        }
        self._start(EVCHARGE, "db", "upgrade").process.wait(60)
        self.web = self._start(EVCHARGE, "web")
        self.gateway = self._start(EVCHARGE, "gateway")
        self.caddy = self._start_caddy()
        for program in (self.web, self.gateway, self.caddy):
            program.wait_for()

    def _start_caddy(self) -> Program:
        port = free_port()
        return self._start(
            *(CADDY, "run", "--adapter", "caddyfile", "--config", CADDYFILE),
            port=port,
            HOME=str(self._folder),
            CADDY_ADMIN=f"unix/{self._folder}/caddy.sock",
            SITE_ADDRESS=f"http://127.0.0.1:{port}",  # Without a certificate.
            WEB=f"127.0.0.1:{self.web.port}",
            GATEWAY=f"127.0.0.1:{self.gateway.port}",
        )

    def _start(self, *words: object, port: int = 0, **settings: str) -> Program:
        port = port or free_port()
        log = self._folder / f"{port}.log"
        process = subprocess.Popen(
            [str(word) for word in words],
            env=self._environment | {"EVCHARGE_PORT": str(port)} | settings,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=self._stack.enter_context(log.open("w")),
            text=True,
        )
        self._stack.callback(process.wait, 20)
        self._stack.callback(process.terminate)
        return Program(process, port, log)


@pytest.fixture(scope="module")
def site(
    postgresql: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(tmp_path_factory.mktemp("site"), postgresql(), stack)


@pytest.fixture
def caddy(site: Site) -> Program:
    return site.caddy


def status_of(program: Program, path: str, body: bytes) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=20)
    try:
        connection.request("POST", path, body)
        return connection.getresponse().status
    finally:
        connection.close()


def test_pages_forms_and_what_they_load_come_through(caddy: Program) -> None:
    driver = Visitor(caddy)

    driver.sign_up()

    assert "ravi@example.com" in driver.get("/account")
    assert caddy.get("/static/vendor/icons.svg")[0] == 200
    assert caddy.get("/readyz")[0] == 200


def test_hints_come_through_at_once(caddy: Program) -> None:
    with socket.create_connection(("127.0.0.1", caddy.port), 20) as stream:
        host = f"Host: 127.0.0.1:{caddy.port}\r\n"
        stream.sendall(f"GET /live?topic=evse:7 HTTP/1.1\r\n{host}\r\n".encode())
        heard = b""
        while b"retry:" not in heard:
            heard += stream.recv(65536)

    assert b" 200 " in heard.splitlines()[0]
    assert b"text/event-stream" in heard


def test_chargers_are_led_to_the_gateway(site: Site) -> None:
    assert site.caddy.get("/ocpp/CP-1") == site.gateway.get("/ocpp/CP-1")


def test_unfinished_posts_take_no_thread_of_the_pages(caddy: Program) -> None:
    head = (
        f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{caddy.port}\r\n"
        "Content-Length: 100\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\nemail="
    )
    with ExitStack() as stack:
        for _ in range(3 * WEB_THREADS):
            slow = socket.create_connection(("127.0.0.1", caddy.port), 20)
            stack.enter_context(slow).sendall(head.encode())
        time.sleep(0.5)  # Until they have certainly arrived.

        began = time.monotonic()
        status, _ = caddy.get("/")

    assert status == 200
    assert time.monotonic() - began < 2


def test_a_body_that_is_too_large_is_refused(caddy: Program) -> None:
    assert status_of(caddy, "/login", b"x" * (LARGEST_BODY + 1)) == 413
    assert status_of(caddy, "/login", b"x" * 1000) in (400, 422)


@pytest.mark.parametrize("spelling", ["X-Forwarded-For", "X_Forwarded_For"])
def test_a_visitor_cannot_choose_their_address(caddy: Program, spelling: str) -> None:
    """Many logins from one place are too many, whatever each says it comes from."""
    connection = http.client.HTTPConnection("127.0.0.1", caddy.port, timeout=20)
    statuses = []
    for number in range(12):
        connection.request(
            "POST",
            "/api/v1/tokens",
            json.dumps({"email": f"person{number}@example.com", "password": "guess"}),
            {
                "Content-Type": "application/json",
                spelling: f"203.0.113.{number}",
            },
        )
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()

    assert 429 in statuses
