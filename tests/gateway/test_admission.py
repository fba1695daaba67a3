"""Who gets a socket, over real ones."""

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import pytest

from charger import KEY, Charger, connected, status_of_connect
from evcharge.control.models import ChargerConnection
from evcharge.control.queries import parked_chargers
from evcharge.control.rules import KeyHash
from evcharge.control.service import take_in
from evcharge.gateway import parked
from evcharge.gateway.admission import FAILURES_SECONDS, MOST_FAILURES
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import Unavailable
from make import a_user, an_evse

from .conftest import Served

BOOT = {"chargePointVendor": "Kaveri", "chargePointModel": "DC-60"}
BOOT_201 = {
    "reason": "PowerUp",
    "chargingStation": {"vendorName": "Kaveri", "model": "DC-60", "serialNumber": "7"},
}
Serving = Callable[..., Served]


@pytest.fixture
def gateway(served: Serving) -> Served:
    return served()


@pytest.fixture
def parking(served: Serving) -> Served:
    return served(unknown_chargers="park")


def test_a_charger_with_its_key_comes_in(gateway: Served) -> None:
    charger_id = gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:
        assert charger.socket.subprotocol == "ocpp1.6"
        assert charger.is_open()
        with gateway.database.reading() as session:
            row = session.get_one(ChargerConnection, charger_id)
            assert (row.generation, row.closed_at) == (1, None)
            assert row.address == "127.0.0.1"


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"key": "not-the-key-of-this-1"}, 401),
        ({"key": ""}, 401),
        ({"key": None}, 401),
        ({"user": "CP-2"}, 401),
        ({"key": None, "headers": {"Authorization": f"Bearer {KEY}"}}, 401),
        ({"key": None, "headers": {"Authorization": "Basic !!!"}}, 401),
        ({"key": None, "headers": {"Authorization": "Basic é"}}, 401),
        ({"key": None, "headers": {"Authorization": "Basic"}}, 401),
        ({"path": "/ocpp/NOBODY"}, 404),
        ({"path": "/ocpp/"}, 404),
        ({"path": "/ocpp/" + "x" * 49}, 404),
        ({"path": "/ocpp/CP-1%00"}, 404),
        ({"path": "/ocpp/CP-1/more"}, 404),
    ],
)
def test_whoever_does_not_fit_is_turned_away(
    gateway: Served,
    how: dict[str, Any],
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    gateway.add_charger("CP-1")

    assert status_of_connect(gateway.port, "CP-1", **how) == status
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


def test_a_charger_without_a_key_cannot_connect(gateway: Served) -> None:
    with gateway.database.transaction() as session:
        an_evse(session, identity="CP-1")

    assert status_of_connect(gateway.port, "CP-1") == 401


@pytest.mark.parametrize("identity", ["CP:1", "चार्जर 1", "a/b", "x" * 48, "50%"])
def test_an_identity_may_be_odd(gateway: Served, identity: str) -> None:
    gateway.add_charger(identity)
    path = f"/ocpp/{quote(identity, safe='')}"

    with connected(gateway.port, identity, path=path) as charger:
        assert charger.is_open()


def test_a_refusal_says_how_to_log_in(gateway: Served) -> None:
    from websockets.exceptions import InvalidStatus

    gateway.add_charger("CP-1")

    with (
        pytest.raises(InvalidStatus) as refused,
        connected(gateway.port, "CP-1", key=None),
    ):
        pass

    headers = refused.value.response.headers
    assert headers["WWW-Authenticate"] == 'Basic realm="ocpp"'


def test_the_newer_version_is_spoken_if_both_are_offered(gateway: Served) -> None:
    gateway.add_charger("CP-1")
    both = ("ocpp1.6", "ocpp2.0.1")

    with connected(gateway.port, "CP-1", protocols=both) as charger:
        assert charger.socket.subprotocol == "ocpp2.0.1"


@pytest.mark.parametrize("offered", [(), ("ocpp1.5",), ("OCPP1.6",)])
def test_without_a_version_in_common_the_socket_closes(
    gateway: Served, offered: tuple[str, ...]
) -> None:
    gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1", protocols=offered) as charger:
        assert charger.socket.subprotocol is None
        assert charger.close_code() == 1002


def test_who_fails_too_often_is_not_even_looked_up(
    gateway: Served, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.add_charger("CP-1")
    wrong = {"key": "not-the-key-of-this-1"}

    statuses = [
        status_of_connect(gateway.port, "CP-1", **wrong) for _ in range(MOST_FAILURES)
    ]
    statements.clear()

    assert set(statuses) == {401}
    assert status_of_connect(gateway.port, "CP-1", **wrong) == 429
    assert status_of_connect(gateway.port, "CP-1") == 429  # Its key is not looked at.
    assert not [each for each in statements if "charger_keys" in each]
    monkeypatch.setattr("evcharge.gateway.admission.FAILURES_SECONDS", 0)
    assert status_of_connect(gateway.port, "CP-1") == 101
    assert FAILURES_SECONDS == 60


def test_failures_from_elsewhere_do_not_keep_a_charger_out(served: Serving) -> None:
    gateway = served(proxies=1)
    gateway.add_charger("CP-1")
    elsewhere = {"key": "wrong", "headers": {"X-Forwarded-For": "10.0.0.9"}}

    for _ in range(MOST_FAILURES):
        status_of_connect(gateway.port, "CP-1", **elsewhere)

    assert status_of_connect(gateway.port, "CP-1", **elsewhere) == 429
    here = {"headers": {"X-Forwarded-For": "10.0.0.9, 10.0.0.1"}}
    assert status_of_connect(gateway.port, "CP-1", **here) == 101


def test_while_the_database_is_away_chargers_are_asked_to_come_back(
    gateway: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.add_charger("CP-1")

    def fail(*_: object) -> None:
        raise Unavailable

    monkeypatch.setattr("evcharge.gateway.admission.credentials_of", fail)
    monkeypatch.setattr("evcharge.gateway.commits.PATIENCE_SECONDS", 0.1)

    assert status_of_connect(gateway.port, "CP-1") == 503


# ── who waits to be taken in ──────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("protocol", "boot"), [("ocpp1.6", BOOT), ("ocpp2.0.1", BOOT_201)]
)
def test_an_unknown_charger_waits_where_that_is_allowed(
    parking: Served, protocol: str, boot: dict[str, Any]
) -> None:
    with connected(parking.port, "NEW-1", protocols=(protocol,)) as charger:
        answer = charger.call("BootNotification", boot)

        assert (answer["status"], answer["interval"]) == ("Pending", 300)
        assert charger.fail("Heartbeat", {}) == "SecurityError"
        charger.send("nonsense")
        assert charger.receive()[0] == 4
    (row,) = waiting(parking)
    assert (row.identity, row.vendor, row.model) == ("NEW-1", "Kaveri", "DC-60")
    assert KeyHash(row.salt, row.digest).fits(KEY.encode())


def test_a_charger_that_is_taken_in_connects_again_with_the_same_key(
    parking: Served,
) -> None:
    with connected(parking.port, "NEW-1") as charger:
        charger.call("BootNotification", BOOT)
        with parking.database.transaction() as session:
            evse = an_evse(session, identity="NEW-1")
            admin = a_user(session, role="admin")
            take_in(session, "NEW-1", evse.charger_id, by=admin.id, now=utc_now())

        assert charger.close_code() == 1000
    with connected(parking.port, "NEW-1") as charger:
        assert charger.is_open()


@pytest.mark.parametrize("key", [None, "", "too-short"])
def test_only_a_key_worth_keeping_lets_a_charger_wait(
    parking: Served, key: str | None
) -> None:
    assert status_of_connect(parking.port, "NEW-1", key=key) == 401
    assert waiting(parking) == []


@pytest.fixture
def many(parking: Served) -> Iterator[list[Charger]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(connected(parking.port, f"NEW-{number}"))
            for number in range(parked.MOST_PARKED)
        ]


def test_only_so_many_may_wait(parking: Served, many: list[Charger]) -> None:
    for charger in many:
        charger.fail("Heartbeat", {})

    assert status_of_connect(parking.port, "NEW-MORE") == 503
    parking.add_charger("CP-1")
    assert status_of_connect(parking.port, "CP-1") == 101


def waiting(served: Served) -> list[Any]:
    with served.database.reading() as session:
        return list(parked_chargers(session))


@pytest.mark.parametrize("lines", [["X-Long: " + 9_000 * "a"], 200 * ["X-Many: 1"]])
def test_an_opening_that_cannot_be_read_is_hung_up_on(
    gateway: Served, connect: Callable[[int], socket.socket], lines: list[str]
) -> None:
    opening = connect(gateway.port)
    head = [
        "GET /ocpp/CP-1 HTTP/1.1",
        "Host: x",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *lines,
    ]
    opening.settimeout(3)

    opening.sendall(("\r\n".join(head) + "\r\n\r\n").encode())

    assert opening.recv(1_000).startswith(b"HTTP/1.1 400 ")
    assert opening.recv(1_000) == b""


@pytest.mark.parametrize(
    "identity", ["CP-1 ", " ", "a/b", "CP-\N{CYRILLIC SMALL LETTER A}"]
)
def test_nobody_waits_under_a_name_that_no_charger_can_have(
    parking: Served, identity: str
) -> None:
    how = {"path": f"/ocpp/{quote(identity, safe='')}"}

    assert status_of_connect(parking.port, identity, **how) == 404
    with parking.database.reading() as session:
        assert parked_chargers(session) == []
