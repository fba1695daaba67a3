import pytest

from evcharge.control.asked import arguments_from_text, check_command
from evcharge.control.rules import BadCommand, CommandKind
from evcharge.stations.rules import Plug

PLUGS = [Plug("A", 1, 1), Plug("A", 1, 2), Plug("A", 2, 1)]

FINE = [
    ("stop", {"number": 5}, {"number": 5, "ref": None}),
    ("stop", {"number": 5, "ref": "t-1"}, {"number": 5, "ref": "t-1"}),
    ("reset", {"kind": "soft"}, {"kind": "soft"}),
    ("unlock", {"evse": 1, "connector": 2}, {"evse": 1, "connector": 2}),
    ("availability", {"is_operative": False}, {"evse": None, "is_operative": False}),
    ("trigger", {"message": "Heartbeat"}, {"message": "Heartbeat", "evse": None}),
    ("get_variables", {}, {"names": []}),
    ("get_variables", {"names": ["A", "B", "A"]}, {"names": ["A", "B"]}),
    ("set_variable", {"name": "A", "value": ""}, {"name": "A", "value": ""}),
    ("cancel_reservation", {"number": 1}, {"number": 1}),
    (
        "reserve",
        {"number": 1, "evse": 2, "tag": "T", "expires_at": "2026-11-24T18:00:00+05:30"},
        {
            "number": 1,
            "evse": 2,
            "connector": None,
            "tag": "T",
            "expires_at": "2026-11-24T12:30:00Z",
        },
    ),
]
WRONG = [
    ("start", {"evse": 3, "tag": "T"}, "evse"),
    ("start", {"evse": True, "tag": "T"}, "evse"),
    ("start", {"evse": "1", "tag": "T"}, "evse"),
    ("start", {"evse": 2, "connector": 2, "tag": "T"}, "connector"),
    ("start", {"evse": 1}, "tag"),
    ("start", {"evse": 1, "tag": "a b"}, "tag"),
    ("start", {"evse": 1, "tag": "T" * 37}, "tag"),
    ("stop", {}, "number"),
    ("stop", {"number": 0}, "number"),
    ("stop", {"number": 2**31}, "number"),
    ("stop", {"number": 1, "ref": 7}, "ref"),
    ("reset", {"kind": "gentle"}, "kind"),
    ("unlock", {"evse": 1}, "connector"),
    ("availability", {"is_operative": "yes"}, "is_operative"),
    ("availability", {"is_operative": True, "evse": 9}, "evse"),
    ("trigger", {"message": "Dance"}, "message"),
    ("get_variables", {"names": "A"}, "names"),
    ("get_variables", {"names": [7]}, "names"),
    ("get_variables", {"names": ["A\n"]}, "names"),
    ("get_variables", {"names": [str(each) for each in range(51)]}, "names"),
    ("set_variable", {"value": "1"}, "name"),
    ("set_variable", {"name": "A", "value": "x" * 1001}, "value"),
    ("reset", {"kind": "soft", "evse": 1}, "evse"),
    (
        "reserve",
        {"number": 1, "evse": 1, "tag": "T", "expires_at": "soon"},
        "expires_at",
    ),
    (
        "reserve",
        {"number": 1, "evse": 1, "tag": "T", "expires_at": "2026-11-24T18:00:00"},
        "expires_at",
    ),
]


@pytest.mark.parametrize(("kind", "given", "kept"), FINE)
def test_a_command_is_kept_as_chargers_are_told(kind, given, kept):
    assert check_command(CommandKind(kind), given, PLUGS) == kept


def test_every_start_has_a_number_of_its_own():
    given = {"evse": 1, "connector": 2, "tag": "CARD-1"}

    kept = [check_command(CommandKind.START, given, PLUGS) for _ in range(2)]

    numbers = [each.pop("remote_start_id") for each in kept]
    assert kept[0] == given
    assert 0 < min(numbers) < max(numbers) < 2**31


@pytest.mark.parametrize(("kind", "given", "at"), WRONG)
def test_a_command_that_cannot_be_says_what_is_wrong(kind, given, at):
    with pytest.raises(BadCommand) as caught:
        check_command(CommandKind(kind), given, PLUGS)

    assert list(caught.value.details["problems"]) == [at]


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(BadCommand) as caught:
        check_command(CommandKind.START, {"evse": 7, "x": 1}, PLUGS)

    assert set(caught.value.details["problems"]) == {"evse", "tag", "x"}


@pytest.mark.parametrize(
    "name",
    [
        "AuthorizationKey",
        "SecurityCtrlr.BasicAuthPassword",
        "SecurityCtrlr.BasicAuthPassword#1",
        "authorizationkey",
    ],
)
def test_a_key_is_not_set_where_everybody_could_read_it(name):
    with pytest.raises(BadCommand, match="Issue a key instead"):
        check_command(CommandKind.SET_VARIABLE, {"name": name, "value": "x"}, PLUGS)


def test_what_was_typed_becomes_arguments():
    typed = {
        "evse": " 1 ",
        "connector": "",
        "number": "1_0",
        "is_operative": "false",
        "names": "A, B\nC.D",
        "tag": "123",
    }

    assert arguments_from_text(typed) == {
        "evse": 1,
        "number": "1_0",
        "is_operative": False,
        "names": ["A", "B", "C.D"],
        "tag": "123",
    }
