"""Commands to chargers, and what becomes of them."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from charger import connected
from evcharge.control.models import ChargerCommand
from evcharge.control.queries import command_by_id
from evcharge.control.rules import CommandKind, CommandState
from evcharge.control.service import queue_command
from evcharge.gateway import sender
from evcharge.kernel.clock import utc_now

from .conftest import Served

Serving = Callable[..., Served]


@pytest.fixture
def gateway(served: Serving) -> Served:
    return served()


def ask(
    gateway: Served,
    charger_id: int,
    command: CommandKind = CommandKind.RESET,
    **arguments: Any,
) -> UUID:
    with gateway.database.transaction() as session:
        return queue_command(
            session,
            charger_id=charger_id,
            kind=command,
            arguments=arguments or {"kind": "soft"},
            by=None,
            now=utc_now(),
        ).id


def read(gateway: Served, command_id: UUID) -> ChargerCommand:
    with gateway.database.reading() as session:
        return command_by_id(session, command_id)


def ended(gateway: Served, command_id: UUID, seconds: float = 5) -> tuple[str, str]:
    deadline = time.monotonic() + seconds
    while (command := read(gateway, command_id)).answered_at is None:
        assert time.monotonic() < deadline, command.state
        time.sleep(0.02)
    return command.state.value, command.answer


def test_a_command_reaches_its_charger_at_once(gateway: Served) -> None:
    charger_id = gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:
        assert charger.is_open()
        began = time.monotonic()
        command_id = ask(gateway, charger_id)
        call = charger.next_asked()

        assert call[2:] == ["Reset", {"type": "Soft"}]
        assert time.monotonic() - began < sender.POLL_SECONDS / 2
        assert read(gateway, command_id).state == CommandState.SENT
        charger.answer(call)
        assert ended(gateway, command_id) == ("accepted", "Accepted")
    said = [each[:2] for each in gateway.messages(charger_id) if each[1] == "Reset"]
    assert sorted(said) == [("in", "Reset"), ("out", "Reset")]


def test_a_command_reaches_its_charger_without_a_hint(gateway: Served) -> None:
    charger_id = gateway.add_charger("CP-1")
    gateway.database.publish = lambda topics: None

    with connected(gateway.port, "CP-1") as charger:
        assert charger.is_open()
        ask(gateway, charger_id)

        assert charger.next_asked()[2] == "Reset"


def test_a_command_waits_for_its_charger_to_connect(gateway: Served) -> None:
    charger_id = gateway.add_charger("CP-1")
    ask(gateway, charger_id)

    with connected(gateway.port, "CP-1") as charger:
        assert charger.next_asked()[2] == "Reset"


@pytest.mark.parametrize(
    ("answer", "state", "word"),
    [
        ({"status": "Rejected"}, "rejected", "Rejected"),
        ({"status": "Perhaps"}, "rejected", "Not understood"),
        ({}, "rejected", "Not understood"),
        ([], "rejected", "Not understood"),
        (None, "rejected", "Not understood"),
    ],
)
def test_what_a_charger_answers_is_kept(
    gateway: Served, answer: Any, state: str, word: str
) -> None:
    charger_id = gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:
        command_id = ask(gateway, charger_id)
        charger.answer(charger.next_asked(), answer)

        kept, said = ended(gateway, command_id)
        assert kept == state
        assert said.startswith(word)
        assert charger.is_open()


def test_an_error_is_a_no_with_the_chargers_words(gateway: Served) -> None:
    charger_id = gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:
        command_id = ask(gateway, charger_id)
        charger.refuse(charger.next_asked(), "NotSupported", "No reset here")

        assert ended(gateway, command_id) == ("rejected", "NotSupported: No reset here")


def test_silence_is_given_up(gateway: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "ANSWER_WAITS", timedelta(seconds=0.3))
    charger_id = gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:
        command_id = ask(gateway, charger_id)
        call = charger.next_asked()

        assert ended(gateway, command_id)[0] == "timed_out"
        charger.answer(call)  # Too late.
        assert charger.is_open()
        assert read(gateway, command_id).state == CommandState.TIMED_OUT


def test_a_command_whose_charger_goes_is_not_sent_again(gateway: Served) -> None:
    charger_id = gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:
        command_id = ask(gateway, charger_id)
        charger.next_asked()
    assert ended(gateway, command_id) == ("timed_out", "The connection was lost.")

    with connected(gateway.port, "CP-1") as charger:
        assert charger.is_open()
        with pytest.raises(TimeoutError):
            charger.receive(sender.POLL_SECONDS + 0.5)


def test_a_charger_is_asked_one_thing_at_a_time(gateway: Served) -> None:
    charger_id = gateway.add_charger("CP-1")
    kinds = ("soft", "hard", "soft")

    with connected(gateway.port, "CP-1") as charger:
        ids = [ask(gateway, charger_id, kind=kind) for kind in kinds]
        for kind in kinds:
            call = charger.next_asked()
            assert call[3] == {"type": kind.capitalize()}
            with pytest.raises(TimeoutError):
                charger.receive(0.2)
            charger.answer(call)
        assert [ended(gateway, each)[0] for each in ids] == ["accepted"] * 3


def test_a_charger_may_talk_while_it_owes_an_answer(gateway: Served) -> None:
    charger_id = gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:
        command_id = ask(gateway, charger_id)
        call = charger.next_asked()
        assert charger.is_open()
        charger.answer(call)

        assert ended(gateway, command_id)[0] == "accepted"


def test_a_slow_charger_keeps_no_other_waiting(gateway: Served) -> None:
    slow_id, quick_id = gateway.add_charger("CP-1"), gateway.add_charger("CP-2")

    with (
        connected(gateway.port, "CP-1") as slow,
        connected(gateway.port, "CP-2") as quick,
    ):
        ask(gateway, slow_id)
        slow.next_asked()
        command_id = ask(gateway, quick_id)
        quick.answer(quick.next_asked())

        assert ended(gateway, command_id)[0] == "accepted"


def test_what_a_version_cannot_say_is_refused_here(gateway: Served) -> None:
    charger_id = gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:
        command_id = ask(gateway, charger_id, CommandKind.UNLOCK, evse=7, connector=1)

        assert ended(gateway, command_id)[0] == "rejected"
        assert charger.is_open()


def test_the_commands_of_another_gateways_chargers_are_left_alone(
    served: Serving,
) -> None:
    one = served()
    charger_id = one.add_charger("CP-1")
    other = served()

    with (
        connected(one.port, "CP-1") as elsewhere,
        connected(other.port, "CP-1") as charger,
    ):
        assert elsewhere.close_code() == 1000
        ask(one, charger_id)

        assert charger.next_asked()[2] == "Reset"
