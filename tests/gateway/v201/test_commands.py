"""Commands as OCPP 2.0.1 puts them, and what chargers make of them."""

import pytest

from evcharge.control.rules import BadCommand, CommandKind, CommandState
from evcharge.gateway.v201.words import component_and_variable, variable_name

ACCEPTED, REJECTED = CommandState.ACCEPTED, CommandState.REJECTED
OK = {"status": "Accepted"}
EXPIRES = "2026-11-24T18:00:00Z"
TOKEN = {"idToken": "EV-7K3M9Q", "type": "Central"}
SETTING = {"name": "TxCtrlr.EVConnectionTimeOut", "value": "90"}


def result(word, **more):
    component, variable = SETTING["name"].split(".")
    named = {"component": {"name": component}, "variable": {"name": variable}}
    return named | {"attributeStatus": word} | more


@pytest.mark.parametrize(
    ("kind", "arguments", "action", "payload"),
    [
        (
            CommandKind.START,
            {"evse": 2, "connector": None, "tag": "EV-7K3M9Q", "remote_start_id": 5},
            "RequestStartTransaction",
            {"evseId": 2, "remoteStartId": 5, "idToken": TOKEN},
        ),
        (
            CommandKind.STOP,
            {"number": 3, "ref": "ab-1"},
            "RequestStopTransaction",
            {"transactionId": "ab-1"},
        ),
        (CommandKind.RESET, {"kind": "soft"}, "Reset", {"type": "OnIdle"}),
        (CommandKind.RESET, {"kind": "hard"}, "Reset", {"type": "Immediate"}),
        (
            CommandKind.AVAILABILITY,
            {"evse": None, "is_operative": False},
            "ChangeAvailability",
            {"operationalStatus": "Inoperative"},
        ),
        (
            CommandKind.AVAILABILITY,
            {"evse": 2, "is_operative": True},
            "ChangeAvailability",
            {"operationalStatus": "Operative", "evse": {"id": 2}},
        ),
        (
            CommandKind.TRIGGER,
            {"message": "TransactionEvent", "evse": 2},
            "TriggerMessage",
            {"requestedMessage": "TransactionEvent", "evse": {"id": 2}},
        ),
        (
            CommandKind.TRIGGER,
            {"message": "Heartbeat", "evse": None},
            "TriggerMessage",
            {"requestedMessage": "Heartbeat"},
        ),
        (
            CommandKind.TRIGGER,
            {"message": "StatusNotification", "evse": None},
            "TriggerMessage",
            {"requestedMessage": "StatusNotification"}
            | {"evse": {"id": 1, "connectorId": 1}},
        ),
        (
            CommandKind.RESERVE,
            {"number": 9, "evse": 2, "connector": None, "tag": "EV-7K3M9Q"}
            | {"expires_at": EXPIRES},
            "ReserveNow",
            {"id": 9, "expiryDateTime": EXPIRES, "idToken": TOKEN, "evseId": 2},
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


def test_a_plug_is_unlocked_by_its_place(talk):
    action, payload, command = talk.ask(
        CommandKind.UNLOCK, {"status": "Unlocked"}, evse=1, connector=2
    )

    assert (action, payload) == ("UnlockConnector", {"evseId": 1, "connectorId": 2})
    assert (command.state, command.answer) == (ACCEPTED, "Unlocked")


@pytest.mark.parametrize(
    ("kind", "arguments", "word", "state"),
    [
        (
            CommandKind.START,
            {"evse": 1, "tag": "A", "remote_start_id": 1},
            "Rejected",
            REJECTED,
        ),
        (CommandKind.STOP, {"ref": "ab-1"}, "Rejected", REJECTED),
        (CommandKind.RESET, {"kind": "soft"}, "Scheduled", ACCEPTED),
        (CommandKind.RESET, {"kind": "soft"}, "Rejected", REJECTED),
        *(
            (CommandKind.UNLOCK, {"evse": 1, "connector": 1}, word, REJECTED)
            for word in (
                "UnlockFailed",
                "OngoingAuthorizedTransaction",
                "UnknownConnector",
            )
        ),
        (CommandKind.AVAILABILITY, {"is_operative": True}, "Scheduled", ACCEPTED),
        (CommandKind.TRIGGER, {"message": "Heartbeat"}, "NotImplemented", REJECTED),
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
    reason = {"reasonCode": "NotToday"}

    _, _, command = talk.ask(kind, {"status": word, "statusInfo": reason}, **arguments)

    assert (command.state, command.answer) == (state, word)
    assert command.answer_details == {"statusInfo": reason}


# ── settings ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("word", "state", "kept"),
    [
        ("Accepted", ACCEPTED, {SETTING["name"]: ("90", False)}),
        ("RebootRequired", ACCEPTED, {SETTING["name"]: ("90", False)}),
        ("Rejected", REJECTED, {}),
        ("UnknownComponent", REJECTED, {}),
        ("NotSupportedAttributeType", REJECTED, {}),
    ],
)
def test_a_setting_is_set(talk, word, state, kept):
    action, payload, command = talk.ask(
        CommandKind.SET_VARIABLE, {"setVariableResult": [result(word)]}, **SETTING
    )

    assert action == "SetVariables"
    (told,) = payload["setVariableData"]
    assert told == {
        "component": {"name": "TxCtrlr"},
        "variable": {"name": "EVConnectionTimeOut"},
        "attributeValue": "90",
    }
    assert (command.state, command.answer) == (state, word)
    assert talk.variables() == kept


def test_settings_are_asked_for_by_name_and_kept(talk):
    told = [
        result("Accepted", attributeValue="60"),
        result("UnknownVariable") | {"variable": {"name": "Colour"}},
    ]

    action, _, command = talk.ask(
        CommandKind.GET_VARIABLES,
        {"getVariableResult": told},
        names=[SETTING["name"], "TxCtrlr.Colour"],
    )

    assert action == "GetVariables"
    assert command.state == ACCEPTED
    assert command.answer_details["unknown"] == ["TxCtrlr.Colour"]
    assert talk.variables() == {SETTING["name"]: ("60", False)}


def test_all_settings_come_as_a_report(talk):
    action, payload, command = talk.ask(CommandKind.GET_VARIABLES, OK, names=[])

    assert action == "GetBaseReport"
    assert payload["reportBase"] == "FullInventory"
    assert command.state == ACCEPTED


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("A.b", {"component": {"name": "A"}, "variable": {"name": "b"}}),
        (
            "EVSE@1.Power",
            {
                "component": {"name": "EVSE", "evse": {"id": 1}},
                "variable": {"name": "Power"},
            },
        ),
        (
            "Connector#left@1/2.Available#x.y",
            {
                "component": {
                    "name": "Connector",
                    "instance": "left",
                    "evse": {"id": 1, "connectorId": 2},
                },
                "variable": {"name": "Available", "instance": "x.y"},
            },
        ),
    ],
)
def test_a_setting_has_one_name(name, named):
    assert component_and_variable(name) == named
    assert variable_name(named["component"], named["variable"]) == name


@pytest.mark.parametrize("name", ["", "HeartbeatInterval", ".b", "A.", "A@x.b"])
def test_what_names_no_setting_is_refused(name):
    with pytest.raises(BadCommand):
        component_and_variable(name)


# ── what cannot be said ──────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (CommandKind.STOP, {"number": 3, "ref": None}),
        (CommandKind.UNLOCK, {"evse": 7, "connector": 1}),
        (CommandKind.TRIGGER, {"message": "DiagnosticsStatusNotification"}),
        (CommandKind.GET_VARIABLES, {"names": ["HeartbeatInterval"]}),
        (CommandKind.SET_VARIABLE, {"name": "HeartbeatInterval", "value": "1"}),
    ],
)
def test_what_has_no_words_in_this_version_is_never_sent(talk, kind, arguments):
    assert talk.refused(kind, **arguments)
    assert talk.charger.is_open()
    assert talk.charger.asked == []
