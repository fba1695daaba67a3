"""Our words against the official schemas: answers and calls, of both versions.

Every conversation in v16/ and v201/ checks what it hears (`Talk.call`, `Talk.ask`).
Here is that there is one for every word, and that the checks can fail.
"""

from pathlib import Path

import pytest
from jsonschema import ValidationError

from evcharge.control.rules import CommandKind, Protocol
from evcharge.gateway import v16, v201
from evcharge.gateway.schemas import is_known
from official import check_answer, check_call

HERE = Path(__file__).parent
VERSIONS = [(Protocol.OCPP16, v16), (Protocol.OCPP201, v201)]


def conversations(version) -> str:
    folder = HERE / version.__name__.rpartition(".")[2]
    return "".join(path.read_text() for path in sorted(folder.glob("test_*.py")))


@pytest.mark.parametrize(("protocol", "version"), VERSIONS)
def test_every_action_is_one_of_the_protocol(protocol, version):
    assert [name for name in version.ACTIONS if not is_known(protocol, name)] == []


@pytest.mark.parametrize(("protocol", "version"), VERSIONS)
def test_there_is_a_conversation_about_every_action(protocol, version):
    spoken = conversations(version)

    assert [name for name in version.ACTIONS if f'"{name}"' not in spoken] == []


@pytest.mark.parametrize(("protocol", "version"), VERSIONS)
def test_there_is_a_conversation_about_every_command(protocol, version):
    spoken = conversations(version)

    assert set(version.CALLS) == set(version.READ) == set(CommandKind)
    assert [
        kind for kind in CommandKind if f"CommandKind.{kind.name}" not in spoken
    ] == []


@pytest.mark.parametrize("protocol", Protocol)
def test_the_checks_can_fail(protocol):
    for time in ("2026-11-23 10:00", "2026-11-23T10:00:00"):
        with pytest.raises(ValidationError):
            check_answer(protocol, "Heartbeat", {"currentTime": time})
    with pytest.raises(ValidationError):
        check_call(protocol, "Reset", {"type": "Gentle"})
    check_answer(protocol, "Heartbeat", {"currentTime": "2026-11-23T10:00:00.000Z"})
