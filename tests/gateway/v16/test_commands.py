"""Commands as OCPP 1.6 puts them, and what chargers make of them."""

import pytest

from evcharge.control.models import ChargerMessage
from evcharge.control.rules import CommandKind, CommandState

ACCEPTED, REJECTED = CommandState.ACCEPTED, CommandState.REJECTED
OK = {"status": "Accepted"}
EXPIRES = "2026-11-24T18:00:00Z"
SETTING = {"name": "HeartbeatInterval", "value": "1"}


@pytest.mark.parametrize(
    ("kind", "arguments", "action", "payload"),
    [
        (
            CommandKind.START,
            {"evse": 2, "connector": None, "tag": "EV-7K3M9Q", "remote_start_id": 5},
            "RemoteStartTransaction",
            {"connectorId": 3, "idTag": "EV-7K3M9Q"},
        ),
        (
            CommandKind.START,
            {"evse": 1, "connector": 2, "tag": "EV-7K3M9Q", "remote_start_id": 5},
            "RemoteStartTransaction",
            {"connectorId": 2, "idTag": "EV-7K3M9Q"},
        ),
        (
            CommandKind.STOP,
            {"number": 42, "ref": None},
            "RemoteStopTransaction",
            {"transactionId": 42},
        ),
        (CommandKind.RESET, {"kind": "soft"}, "Reset", {"type": "Soft"}),
        (CommandKind.RESET, {"kind": "hard"}, "Reset", {"type": "Hard"}),
        (
            CommandKind.AVAILABILITY,
            {"evse": None, "is_operative": False},
            "ChangeAvailability",
            {"connectorId": 0, "type": "Inoperative"},
        ),
        (
            CommandKind.AVAILABILITY,
            {"evse": 2, "is_operative": True},
            "ChangeAvailability",
            {"connectorId": 3, "type": "Operative"},
        ),
        (
            CommandKind.TRIGGER,
            {"message": "BootNotification", "evse": None},
            "TriggerMessage",
            {"requestedMessage": "BootNotification"},
        ),
        (
            CommandKind.TRIGGER,
            {"message": "MeterValues", "evse": 2},
            "TriggerMessage",
            {"requestedMessage": "MeterValues", "connectorId": 3},
        ),
        (
            CommandKind.SET_VARIABLE,
            {"name": "HeartbeatInterval", "value": "120"},
            "ChangeConfiguration",
            {"key": "HeartbeatInterval", "value": "120"},
        ),
        (
            CommandKind.RESERVE,
            {"number": 9, "evse": 2, "connector": None, "tag": "EV-7K3M9Q"}
            | {"expires_at": EXPIRES},
            "ReserveNow",
            {"connectorId": 3, "expiryDate": EXPIRES, "idTag": "EV-7K3M9Q"}
            | {"reservationId": 9},
        ),
        (
            CommandKind.CANCEL_RESERVATION,
            {"number": 9},
            "CancelReservation",
            {"reservationId": 9},
        ),
    ],
)
def test_a_command_is_put_in_its_words(talk, kind, arguments, action, payload):
    asked, told, command = talk.ask(kind, OK, **arguments)

    assert (asked, told) == (action, payload)
    assert (command.state, command.answer) == (ACCEPTED, "Accepted")


@pytest.mark.parametrize(
    ("kind", "arguments", "word", "state"),
    [
        (CommandKind.START, {"evse": 1, "tag": "A"}, "Rejected", REJECTED),
        (CommandKind.STOP, {"number": 1}, "Rejected", REJECTED),
        (CommandKind.RESET, {"kind": "soft"}, "Rejected", REJECTED),
        (CommandKind.UNLOCK, {"evse": 1, "connector": 1}, "Unlocked", ACCEPTED),
        (CommandKind.UNLOCK, {"evse": 1, "connector": 1}, "UnlockFailed", REJECTED),
        (CommandKind.UNLOCK, {"evse": 1, "connector": 1}, "NotSupported", REJECTED),
        (CommandKind.AVAILABILITY, {"is_operative": True}, "Scheduled", ACCEPTED),
        (CommandKind.AVAILABILITY, {"is_operative": True}, "Rejected", REJECTED),
        (CommandKind.TRIGGER, {"message": "Heartbeat"}, "NotImplemented", REJECTED),
        (CommandKind.SET_VARIABLE, SETTING, "RebootRequired", ACCEPTED),
        (CommandKind.SET_VARIABLE, SETTING, "NotSupported", REJECTED),
        (CommandKind.CANCEL_RESERVATION, {"number": 1}, "Rejected", REJECTED),
        *(
            (
                CommandKind.RESERVE,
                {"number": 1, "evse": 1, "tag": "A", "expires_at": EXPIRES},
                word,
                REJECTED,
            )
            for word in ("Faulted", "Occupied", "Rejected", "Unavailable")
        ),
    ],
)
def test_the_chargers_own_word_is_kept(talk, kind, arguments, word, state):
    _, _, command = talk.ask(kind, {"status": word}, **arguments)

    assert (command.state, command.answer) == (state, word)


def test_settings_are_asked_for_by_name_and_kept(talk):
    answer = {
        "configurationKey": [
            {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
            {"key": "NumberOfConnectors", "readonly": True, "value": "3"},
            {"key": "AuthorizationKey", "readonly": False, "value": "s3cret"},
        ],
        "unknownKey": ["Colour"],
    }

    action, payload, command = talk.ask(
        CommandKind.GET_VARIABLES, answer, names=["HeartbeatInterval", "Colour"]
    )

    assert action == "GetConfiguration"
    assert payload == {"key": ["HeartbeatInterval", "Colour"]}
    assert command.state == ACCEPTED
    assert command.answer_details["unknown"] == ["Colour"]
    assert talk.variables() == {
        "HeartbeatInterval": ("300", False),
        "NumberOfConnectors": ("3", True),
        "AuthorizationKey": (None, False),
    }
    bodies = [each.body for each in talk.rows(ChargerMessage)]
    assert any("AuthorizationKey" in each for each in bodies)
    assert not any("s3cret" in each for each in bodies)


def test_all_settings_are_asked_for_without_names(talk):
    action, payload, command = talk.ask(CommandKind.GET_VARIABLES, {}, names=[])

    assert (action, payload) == ("GetConfiguration", {})
    assert command.state == ACCEPTED


def test_a_setting_nobody_knows_is_an_answer_too(talk):
    answer = {"unknownKey": ["Colour"]}

    _, _, command = talk.ask(CommandKind.GET_VARIABLES, answer, names=["Colour"])

    assert (command.state, command.answer) == (REJECTED, "Unknown")


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (CommandKind.START, {"evse": 7, "tag": "A"}),
        (CommandKind.START, {"evse": 1, "connector": 3, "tag": "A"}),
        (CommandKind.START, {"evse": 1, "tag": "X" * 21}),
        (CommandKind.STOP, {"number": None, "ref": "tx-1"}),
        (CommandKind.UNLOCK, {"evse": 7, "connector": 1}),
        (CommandKind.TRIGGER, {"message": "TransactionEvent"}),
    ],
)
def test_what_has_no_words_in_this_version_is_never_sent(talk, kind, arguments):
    assert talk.refused(kind, **arguments)
    assert talk.charger.is_open()
    assert talk.charger.asked == []


def test_an_error_instead_of_an_answer_is_kept_as_it_is_said(talk):
    command_id = talk.queue(CommandKind.RESET, kind="soft")

    talk.charger.refuse(talk.next_asked(), "NotSupported", "not today")

    command = talk.command(command_id)
    assert command.state == REJECTED
    assert command.answer == "NotSupported: not today"


@pytest.mark.parametrize("answer", [{"status": "Perhaps"}, {}, [], None])
def test_an_answer_nobody_understands_is_no_yes(talk, answer):
    _, _, command = talk.ask(CommandKind.RESET, answer, kind="soft")

    assert command.state == REJECTED
    assert talk.charger.is_open()
