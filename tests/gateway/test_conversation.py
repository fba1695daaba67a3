"""What chargers say, right or wrong, over real sockets."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from charger import Charger, connected
from evcharge.control.models import ChargerConnection
from evcharge.control.rules import Protocol
from evcharge.control.service import open_connection
from evcharge.gateway import pace
from evcharge.gateway.actions import Payload
from evcharge.gateway.socket import Connected
from evcharge.gateway.v16 import ACTIONS
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import Conflict
from evcharge.stations.models import Connector

from .conftest import Served

CHARGING = {"connectorId": 1, "errorCode": "NoError", "status": "Charging"}
Serving = Callable[..., Served]

# What is wrong, as OCPP 1.6 and 2.0.1 answer it: id and code, or None for silence.
BAD_FRAMES: list[tuple[str | bytes, Any, Any]] = [
    ("{", ("-1", "FormationViolation"), ("-1", "RpcFrameworkError")),
    ("", ("-1", "FormationViolation"), ("-1", "RpcFrameworkError")),
    ("\0", ("-1", "FormationViolation"), ("-1", "RpcFrameworkError")),
    ("[" * 60_000, ("-1", "FormationViolation"), ("-1", "RpcFrameworkError")),
    ('[2,"a","B",NaN]', ("-1", "FormationViolation"), ("-1", "RpcFrameworkError")),
    ('[2,"a","B",1e999]', ("-1", "FormationViolation"), ("-1", "RpcFrameworkError")),
    (
        f'[2,"a","B",{"9" * 5000}]',
        ("-1", "FormationViolation"),
        ("-1", "RpcFrameworkError"),
    ),
    (b"[2]", ("-1", "ProtocolError"), ("-1", "RpcFrameworkError")),
    ('{"a": 1}', ("-1", "ProtocolError"), ("-1", "RpcFrameworkError")),
    ('"text"', ("-1", "ProtocolError"), ("-1", "RpcFrameworkError")),
    ("[]", ("-1", "ProtocolError"), ("-1", "RpcFrameworkError")),
    ("[2]", ("-1", "ProtocolError"), ("-1", "RpcFrameworkError")),
    ('[2,"a"]', ("a", "ProtocolError"), ("a", "RpcFrameworkError")),
    ('[2,"a","Heartbeat"]', ("a", "ProtocolError"), ("a", "RpcFrameworkError")),
    ('[2,"a","Heartbeat",{},1]', ("a", "ProtocolError"), ("a", "RpcFrameworkError")),
    ('[2,1,"Heartbeat",{}]', ("-1", "ProtocolError"), ("-1", "RpcFrameworkError")),
    ('[2,"","Heartbeat",{}]', ("-1", "ProtocolError"), ("-1", "RpcFrameworkError")),
    (
        f'[2,"{"x" * 37}","Heartbeat",{{}}]',
        ("-1", "ProtocolError"),
        ("-1", "RpcFrameworkError"),
    ),
    ('[2,"a",7,{}]', ("a", "ProtocolError"), ("a", "RpcFrameworkError")),
    ('[9,"a",7,{}]', None, ("a", "MessageTypeNotSupported")),
    ('["2","a","Heartbeat",{}]', None, ("a", "MessageTypeNotSupported")),
    ('[true,"a","Heartbeat",{}]', None, ("a", "MessageTypeNotSupported")),
    ('[3,"a",{}]', None, None),
    ('[3,"a"]', None, None),
    ('[4,"a","GenericError","",{}]', None, None),
    ("[4]", None, None),
]
PARTS = ["connectorId", "errorCode", "status"]
BAD_PAYLOADS: list[tuple[str, Any, str]] = [
    ("Nonsense", {}, "NotImplemented"),
    ("../Heartbeat", {}, "NotImplemented"),
    ("Reset", {"type": "Soft"}, "NotSupported"),
    ("StatusNotification", {}, "ProtocolError"),
    ("StatusNotification", [], "TypeConstraintViolation"),
    ("StatusNotification", None, "TypeConstraintViolation"),
    ("StatusNotification", CHARGING | {"connectorId": "1"}, "TypeConstraintViolation"),
    (
        "StatusNotification",
        CHARGING | {"connectorId": 2**31},
        "PropertyConstraintViolation",
    ),
    (
        "StatusNotification",
        CHARGING | {"status": "Asleep"},
        "PropertyConstraintViolation",
    ),
    ("StatusNotification", CHARGING | {"info": "x" * 51}, "TypeConstraintViolation"),
    ("StatusNotification", CHARGING | {"colour": "red"}, "FormationViolation"),
]


@pytest.fixture
def gateway(served: Serving) -> Served:
    return served()


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    """Makes DataTransfer do something else."""

    def put(action: Any) -> None:
        monkeypatch.setitem(ACTIONS, "DataTransfer", action)

    return put


def test_an_answer_means_stored(gateway: Served) -> None:
    charger_id = gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:
        charger.call("StatusNotification", CHARGING)

        with gateway.database.reading() as session:
            assert session.query(Connector).one().reported_status == "charging"
        kept = gateway.messages(charger_id)
        assert [each[:2] for each in kept] == [("in", "StatusNotification")]


def test_every_message_is_stored_before_its_answer_whatever_it_is(
    gateway: Served,
) -> None:
    charger_id = gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:
        charger.call("Heartbeat", {})
        charger.fail("Nonsense", {"a": 1})

        said = [body for way, _, body in gateway.messages(charger_id) if way == "in"]
        assert [json.loads(body)[2] for body in said] == ["Heartbeat", "Nonsense"]


def test_what_is_said_to_a_charger_is_kept_too(gateway: Served) -> None:
    charger_id = gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:
        charger.call("Heartbeat", {})
        deadline = time.monotonic() + 5
        while len(kept := gateway.messages(charger_id)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    assert [each[:2] for each in kept] == [("in", "Heartbeat"), ("out", "Heartbeat")]


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1"])
@pytest.mark.parametrize("case", BAD_FRAMES, ids=lambda case: str(case[0])[:30])
def test_a_bad_frame_is_answered_by_the_book_and_the_socket_survives(
    gateway: Served, protocol: str, case: tuple[str | bytes, Any, Any]
) -> None:
    gateway.add_charger("CP-1")
    frame, in_16, in_201 = case
    expected = in_16 if protocol == "ocpp1.6" else in_201

    with connected(gateway.port, "CP-1", protocols=(protocol,)) as charger:
        charger.send(frame)
        if expected is not None:
            kind, message_id, code, _, _ = charger.receive()
            assert (kind, message_id, code) == (4, *expected)

        assert charger.is_open()


@pytest.mark.parametrize(("action", "payload", "code"), BAD_PAYLOADS)
def test_a_bad_payload_is_refused_with_the_reason(
    gateway: Served, action: str, payload: Any, code: str
) -> None:
    gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:
        assert charger.fail(action, payload) == code
        assert charger.is_open()


def test_what_no_database_can_hold_is_replaced(gateway: Served) -> None:
    charger_id = gateway.add_charger("CP-1")
    frame = r'[2,"1","StatusNotification",{"connectorId":1,"errorCode":"NoError",'
    frame += r'"status":"Faulted","info":"a\u0000b\ud800c \ud83d\ude97"}]'

    with connected(gateway.port, "CP-1") as charger:
        charger.send(frame)
        assert charger.receive()[0] == 3

    with gateway.database.reading() as session:
        assert session.query(Connector).one().error_info == "a\ufffdb\ufffdc 🚗"
    assert gateway.messages(charger_id)[0][2] == frame


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
    max_leaves=8,
)
_FRAMES = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=40).filter(lambda text: text.isprintable()),
    st.lists(_JSON, max_size=5).map(json.dumps),
    st.tuples(
        st.sampled_from([2, 3, 4, 5]),
        st.sampled_from(["a", "", 1, None]),
        st.sampled_from(["Heartbeat", "StatusNotification", "MeterValues", "X"]),
        _JSON | st.dictionaries(st.sampled_from(PARTS), _JSON),
    ).map(json.dumps),
)


def test_no_frame_ends_a_conversation(
    gateway: Served, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:

        @settings(
            max_examples=60,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(_FRAMES)
        def survive(frame: str | bytes) -> None:
            charger.send(frame)
            message_id = charger.say("Heartbeat", {})
            while (answer := charger.receive())[1] != message_id:
                assert answer[0] in (3, 4)

        survive()

    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


def test_a_frame_too_long_ends_it(gateway: Served) -> None:
    gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:
        charger.send("[" + " " * 524_000 + "]")
        assert charger.receive()[0] == 4
        charger.send("[" + " " * 525_000 + "]")
        assert charger.close_code() == 1009


def test_the_same_mistake_is_logged_once(
    gateway: Served, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.add_charger("CP-1")
    gateway.add_charger("CP-2")

    for identity in ("CP-1", "CP-2"):
        with connected(gateway.port, identity) as charger:
            for _ in range(5):
                charger.send("{")
                charger.receive()
                charger.fail("Nonsense", {})

    complaints = [each for each in caplog.messages if each.startswith("charger CP-1")]
    assert len(complaints) == 2
    assert len([each for each in caplog.messages if "CP-2" in each]) == 2


# ── when something fails ──────────────────────────────────────────────────────────


def test_a_refusal_of_ours_is_an_error_the_charger_may_try_again(
    gateway: Served, failing: Callable[..., None]
) -> None:
    gateway.add_charger("CP-1")

    async def refuse(charger: Connected, payload: Payload) -> Payload:
        def no(session: Session) -> None:
            raise Conflict("Not just now.")

        return dict(await charger.do(no))

    failing(refuse)
    with connected(gateway.port, "CP-1") as charger:
        frame = charger.answer_to(charger.say("DataTransfer", {"vendorId": "x"}))
        assert frame[2:4] == ["InternalError", "Not just now."]
        assert charger.is_open()


def test_a_bug_of_ours_is_an_internal_error_and_the_message_is_kept(
    gateway: Served, failing: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    charger_id = gateway.add_charger("CP-1")

    async def break_down(charger: Connected, payload: Payload) -> Payload:
        def divide(session: Session) -> int:
            return 1 // 0

        return {"status": await charger.do(divide)}

    failing(break_down)
    with connected(gateway.port, "CP-1") as charger:
        assert charger.fail("DataTransfer", {"vendorId": "x"}) == "InternalError"
        assert charger.is_open()
    assert gateway.messages(charger_id)[0][:2] == ("in", "DataTransfer")
    assert "ZeroDivisionError" in caplog.text


def test_one_bad_item_hurts_nobody_who_shares_its_commit(
    gateway: Served, failing: Callable[..., None]
) -> None:
    gateway.add_charger("CP-1")
    gateway.add_charger("CP-2")

    def record(session: Session, values: list[str]) -> list[str]:
        if "poison" in values:
            raise ValueError("nobody can record that")
        return [value.upper() for value in values]

    async def act(charger: Connected, payload: Payload) -> Payload:
        await charger.commit(record, payload["vendorId"])
        return {"status": "Accepted"}

    failing(act)
    with (
        connected(gateway.port, "CP-1") as bad,
        connected(gateway.port, "CP-2") as good,
    ):
        for _ in range(20):
            first = bad.say("DataTransfer", {"vendorId": "poison"})
            second = good.say("DataTransfer", {"vendorId": "honey"})
            assert bad.answer_to(first)[2] == "InternalError"
            assert good.answer_to(second)[2] == {"status": "Accepted"}


# ── one socket for each charger ───────────────────────────────────────────────────


def test_a_newer_socket_takes_over(gateway: Served) -> None:
    charger_id = gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as older:
        assert older.is_open()
        with connected(gateway.port, "CP-1") as newer:
            assert older.close_code() == 1000
            assert newer.is_open()
            with gateway.database.reading() as session:
                row = session.get_one(ChargerConnection, charger_id)
                assert (row.generation, row.closed_at) == (2, None)


def test_a_charger_that_came_back_elsewhere_is_let_go_at_the_hint(
    gateway: Served,
) -> None:
    charger_id = gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:
        assert charger.is_open()
        open_elsewhere(gateway, charger_id)

        assert charger.close_code() == 1000


def test_a_charger_that_came_back_elsewhere_is_let_go_without_a_hint(
    gateway: Served,
) -> None:
    charger_id = gateway.add_charger("CP-1")
    gateway.database.publish = lambda topics: None

    with connected(gateway.port, "CP-1") as charger:
        assert charger.is_open()
        open_elsewhere(gateway, charger_id)

        assert charger.close_code() == 1000


def test_what_comes_by_a_stale_socket_is_neither_answered_nor_recorded(
    gateway: Served,
) -> None:
    charger_id = gateway.add_charger("CP-1")
    gateway.database.publish = lambda topics: None

    with connected(gateway.port, "CP-1") as charger:
        assert charger.is_open()
        open_elsewhere(gateway, charger_id)
        charger.say("StatusNotification", CHARGING)

        with pytest.raises(TimeoutError):
            charger.receive(seconds=0.5)
    with gateway.database.reading() as session:
        assert session.query(Connector).one().reported_status == "available"


def open_elsewhere(gateway: Served, charger_id: int) -> None:
    with gateway.database.transaction() as session:
        open_connection(
            session,
            charger_id=charger_id,
            gateway="another",
            protocol=Protocol.OCPP16,
            address="",
            at=utc_now(),
        )


def test_a_socket_that_goes_is_noted(gateway: Served) -> None:
    charger_id = gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:
        assert charger.is_open()

    deadline = time.monotonic() + 5
    while not is_closed(gateway, charger_id):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_closed(gateway: Served, charger_id: int) -> bool:
    with gateway.database.reading() as session:
        row = session.get_one(ChargerConnection, charger_id)
        return row.closed_at is not None


# ── who talks too fast ────────────────────────────────────────────────────────────


def flood(charger: Charger, frames: int) -> list[str]:
    return [charger.say("Heartbeat", {}) for _ in range(frames)]


def test_who_talks_too_fast_is_heard_more_slowly_and_nothing_is_lost(
    gateway: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "BURST", 20)
    gateway.add_charger("CP-1")
    gateway.add_charger("CP-2")

    with (
        connected(gateway.port, "CP-1") as loud,
        connected(gateway.port, "CP-2") as quiet,
    ):
        began = time.monotonic()
        ids = flood(loud, 50)
        assert quiet.is_open()
        assert time.monotonic() - began < 1  # Nobody else waits for it.

        assert [loud.receive()[1] for _ in ids] == ids
        assert 1.2 < time.monotonic() - began < 6


def test_a_flood_that_goes_on_is_cut_off(
    gateway: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "BURST", 5)
    monkeypatch.setattr(pace, "FLOOD_SECONDS", 1)
    gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:
        flood(charger, 100)
        assert charger.close_code() == 1008


def test_who_waits_for_answers_is_never_cut_off(
    gateway: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "BURST", 5)
    monkeypatch.setattr(pace, "FLOOD_SECONDS", 0.5)
    gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:
        assert all(charger.is_open() for _ in range(40))
