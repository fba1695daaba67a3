"""OCPP 2.0.1, Transactions: one stream of events, in any order, any number of times."""

from datetime import timedelta

import pytest

from evcharge.charging.rules import Flag, SessionStatus
from evcharge.control.rules import CommandKind
from evcharge.kernel.clock import utc_now
from evcharge.stations.rules import ReportedStatus
from talk import CARD, clock

STRANGER = "DEADBEEF"
TX = "ab-1"
TRIGGERS = {
    "Started": "CablePluggedIn",
    "Updated": "MeterValuePeriodic",
    "Ended": "EVDeparted",
}


def event(kind, seq_no, *, tag=None, wh=None, state=None, reason=None, **more):
    info = {"transactionId": more.pop("ref", TX)}
    info |= {"chargingState": state} if state else {}
    info |= {"stoppedReason": reason} if reason else {}
    told = {
        "eventType": kind,
        "timestamp": clock(),
        "triggerReason": TRIGGERS[kind],
        "seqNo": seq_no,
        "transactionInfo": info,
    }
    if kind == "Started":
        told["evse"] = {"id": 1, "connectorId": 1}
    if tag is not None:
        told["idToken"] = {"idToken": tag, "type": "ISO14443"}
    if wh is not None:
        told["meterValue"] = [{"timestamp": clock(), "sampledValue": [{"value": wh}]}]
    return told | more


def say(talk, *events):
    return [talk.call("TransactionEvent", each) for each in events]


def allowed(word):
    return {"idTokenInfo": {"status": word}}


# ── as it should be ──────────────────────────────────────────────────────────────


def test_a_charge_begins_goes_on_and_ends(talk):
    answers = say(
        talk,
        event("Started", 0, tag=CARD, wh=1000, state="EVConnected"),
        event("Updated", 1, wh=5000, state="Charging"),
        event("Ended", 2, wh=13_400, state="Idle", reason="EVDisconnected"),
    )

    assert answers == [allowed("Accepted"), {}, {}]
    charge = talk.session()
    assert charge.status == SessionStatus.COMPLETED
    assert charge.energy_wh == 12_400
    assert charge.stop_reason == "EVDisconnected"
    assert charge.flags == []


def test_an_unknown_tag_is_kept_and_told_to_stop(talk):
    (answer,) = say(talk, event("Started", 0, tag=STRANGER, wh=0))
    asked = talk.next_asked()

    assert answer == allowed("Invalid")
    assert asked[2:] == ["RequestStopTransaction", {"transactionId": TX}]
    assert Flag.UNKNOWN_TAG in talk.session().flags


def test_a_tag_that_comes_after_the_plug_is_judged_then(talk):
    answers = say(
        talk,
        event("Started", 0, wh=0, state="EVConnected"),
        event("Updated", 1, tag=CARD, state="Charging"),
    )

    assert answers == [{}, allowed("Accepted")]
    assert talk.session().user_id is not None


def test_nobody_asked_is_answered_as_nobody_refused(talk):
    told = event("Started", 0) | {"idToken": {"idToken": "", "type": "NoAuthorization"}}

    assert say(talk, told) == [allowed("Accepted")]


@pytest.mark.parametrize(
    ("state", "reported"),
    [
        ("EVConnected", ReportedStatus.PREPARING),
        ("Charging", ReportedStatus.CHARGING),
        ("SuspendedEV", ReportedStatus.SUSPENDED_EV),
        ("SuspendedEVSE", ReportedStatus.SUSPENDED_EVSE),
        ("Idle", ReportedStatus.FINISHING),
    ],
)
def test_what_the_vehicle_does_shows_at_its_plug(talk, state, reported):
    say(talk, event("Started", 0, tag=CARD), event("Updated", 1, state=state))

    assert talk.plug().reported_status == reported


def test_occupied_does_not_hide_that_it_charges(talk):
    say(talk, event("Started", 0, tag=CARD, state="Charging"))

    talk.call(
        "StatusNotification",
        {"evseId": 1, "connectorId": 1, "connectorStatus": "Occupied"}
        | {"timestamp": clock()},
    )

    assert talk.plug().reported_status == ReportedStatus.CHARGING


# ── as it should not be ──────────────────────────────────────────────────────────


def test_an_event_that_comes_twice_is_one(talk):
    started = event("Started", 0, tag=CARD, wh=1000)
    ended = event("Ended", 1, wh=2000)

    answers = say(talk, started, started, ended, ended)

    assert answers == [allowed("Accepted"), allowed("Accepted"), {}, {}]
    assert talk.session().energy_wh == 1000
    assert len(talk.samples()) == 2


def test_events_out_of_order_are_one_charge(talk):
    say(
        talk,
        event("Updated", 3, wh=4000, evse={"id": 1, "connectorId": 1}),
        event("Started", 0, tag=CARD, wh=1000),
        event("Updated", 1, wh=2000),
        event("Updated", 2, wh=3000),
        event("Ended", 4, wh=5000),
    )

    charge = talk.session()
    assert charge.energy_wh == 4000
    assert Flag.METER_DECREASED not in charge.flags
    assert Flag.SEQUENCE_GAP not in charge.flags


def test_a_gap_is_flagged(talk):
    say(talk, event("Started", 0, tag=CARD, wh=0), event("Ended", 5, wh=100))

    assert Flag.SEQUENCE_GAP in talk.session().flags


def test_events_kept_while_offline_are_as_old_as_the_charger_says(talk):
    at = clock(ago=timedelta(days=3))

    say(
        talk,
        event("Started", 0, tag=CARD, wh=0, offline=True, timestamp=at),
        event("Ended", 1, wh=100, offline=True, timestamp=at, state="Charging"),
    )

    charge = talk.session()
    assert utc_now() - charge.ended_at > timedelta(days=2)
    assert Flag.OFFLINE in charge.flags
    assert talk.plug().reported_status == ReportedStatus.AVAILABLE


@pytest.mark.parametrize("kind", ["Updated", "Ended"])
def test_an_event_of_a_transaction_nobody_knows_is_kept(talk, kind):
    say(talk, event(kind, 4, wh=500))

    charge = talk.session()
    assert Flag.START_MISSING in charge.flags


@pytest.mark.parametrize("kind", ["Started", "Ended"])
def test_an_event_at_an_evse_nobody_set_up_is_refused_and_kept_to_read(talk, kind):
    code = talk.fail("TransactionEvent", event(kind, 0, evse={"id": 9}))

    assert code == "PropertyConstraintViolation"
    assert talk.notices() == [("other", "Transaction at unknown EVSE 9")]
    assert talk.sessions() == []
    assert talk.charger.is_open()


@pytest.mark.parametrize("at", ["1970-01-01T00:00:00Z", "2026-02-31T00:00:00Z"])
def test_an_impossible_time_is_replaced_by_ours(talk, at):
    say(talk, event("Started", 0, tag=CARD, timestamp=at))

    assert utc_now() - talk.session().started_at < timedelta(seconds=30)


def test_values_that_say_nothing_true_are_left_out(talk):
    say(
        talk,
        event("Started", 0, tag=CARD, wh=1000),
        event("Updated", 1, wh=-1),
        event("Updated", 2, wh=1e15),
    )

    assert talk.samples() == [(1000, None, None)]
    assert talk.session().energy_wh == 0


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"eventType": "Paused"}, "PropertyConstraintViolation"),
        ({"seqNo": "1"}, "TypeConstraintViolation"),
        ({"transactionInfo": {}}, "OccurrenceConstraintViolation"),
        ({"transactionInfo": {"transactionId": "x" * 37}}, "TypeConstraintViolation"),
        ({"meterValue": []}, "OccurrenceConstraintViolation"),
        ({"colour": "red"}, "FormatViolation"),
    ],
)
def test_a_malformed_event_is_refused_and_the_socket_stays(talk, wrong, code):
    assert talk.fail("TransactionEvent", event("Started", 0) | wrong) == code
    assert talk.sessions() == []
    assert talk.charger.is_open()


# ── MeterValues ──────────────────────────────────────────────────────────────────


def test_meter_values_go_to_what_charges_there(talk):
    say(talk, event("Started", 0, tag=CARD, wh=1000))
    value = {"value": 1.5, "unitOfMeasure": {"unit": "kWh"}}
    told = {"meterValue": [{"timestamp": clock(), "sampledValue": [value]}]}

    answers = [talk.call("MeterValues", told | {"evseId": evse}) for evse in (1, 2, 0)]

    assert answers == [{}, {}, {}]
    assert talk.session().energy_wh == 500


def test_meter_values_without_a_value_are_refused(talk):
    code = talk.fail("MeterValues", {"evseId": 1, "meterValue": []})

    assert code == "OccurrenceConstraintViolation"


# ── stopped from here ────────────────────────────────────────────────────────────


def test_a_transaction_is_stopped_by_the_chargers_own_name(talk):
    say(talk, event("Started", 0, tag=CARD))

    action, payload, _ = talk.ask(
        CommandKind.STOP, {"status": "Accepted"}, number=1, ref=TX
    )

    assert (action, payload) == ("RequestStopTransaction", {"transactionId": TX})
