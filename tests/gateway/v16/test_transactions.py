"""OCPP 1.6, Core: who may charge, what was charged, and the cases that go wrong."""

from datetime import timedelta

import pytest

from charger import connected
from evcharge.charging.models import OcppTransaction, UnmatchedStop
from evcharge.charging.rules import Flag, SessionStatus
from evcharge.kernel.clock import utc_now
from talk import CARD, clock

STRANGER = "DEADBEEF"
ENERGY = "Energy.Active.Import.Register"


def start(connector_id=1, tag=CARD, meter=1000, at=None, **more):
    told = {"connectorId": connector_id, "idTag": tag, "meterStart": meter}
    return told | {"timestamp": at or clock()} | more


def stop(number, meter=5000, at=None, **more):
    told = {"transactionId": number, "meterStop": meter}
    return told | {"timestamp": at or clock()} | more


def metered(number, *sampled, connector_id=1, at=None):
    value = {"timestamp": at or clock(), "sampledValue": list(sampled)}
    told = {"connectorId": connector_id, "meterValue": [value]}
    return told if number is None else told | {"transactionId": number}


def begin(talk, **how):
    return talk.call("StartTransaction", start(**how))["transactionId"]


# ── Authorize ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("tag", "word"),
    [(CARD, "Accepted"), (CARD.lower(), "Accepted"), (STRANGER, "Invalid")],
)
def test_authorize_says_whether_the_tag_may_charge(talk, tag, word):
    answer = talk.call("Authorize", {"idTag": tag})

    assert answer == {"idTagInfo": {"status": word}}


def test_a_tag_that_is_too_long_is_a_violation(talk):
    code = talk.fail("Authorize", {"idTag": "X" * 21})

    assert code == "TypeConstraintViolation"
    assert talk.charger.is_open()


# ── StartTransaction ─────────────────────────────────────────────────────────────


def test_a_charge_begins_and_ends(talk):
    answer = talk.call("StartTransaction", start(connector_id=2, meter=1000))
    number = answer["transactionId"]
    ended = talk.call("StopTransaction", stop(number, 13_400, reason="EVDisconnected"))

    assert number > 0
    assert answer["idTagInfo"] == {"status": "Accepted"}
    assert ended == {}
    charge = talk.session()
    assert charge.status == SessionStatus.COMPLETED
    assert charge.connector_number == 2
    assert charge.energy_wh == 12_400
    assert charge.stop_reason == "EVDisconnected"
    assert charge.flags == []


def test_a_start_with_an_unknown_tag_is_kept_and_told_to_stop(talk):
    answer = talk.call("StartTransaction", start(tag=STRANGER))
    asked = talk.next_asked()

    assert answer["idTagInfo"] == {"status": "Invalid"}
    assert asked[2:] == [
        "RemoteStopTransaction",
        {"transactionId": answer["transactionId"]},
    ]
    assert Flag.UNKNOWN_TAG in talk.session().flags


def test_a_start_that_comes_twice_is_one_transaction(talk):
    told = start()

    first = talk.call("StartTransaction", told)
    second = talk.call("StartTransaction", told)

    assert first == second
    assert len(talk.sessions()) == 1


def test_a_start_that_comes_again_by_a_new_socket_is_one_transaction(talk, served):
    told = start()
    first = talk.call("StartTransaction", told)

    port = talk.charger.socket.remote_address[1]
    with connected(port, "CP-1") as again:
        second = again.call("StartTransaction", told)

    assert first == second
    assert len(talk.sessions()) == 1


def test_two_plugs_with_the_same_words_are_two_transactions(talk):
    at = clock()

    first = begin(talk, connector_id=1, at=at)
    second = begin(talk, connector_id=3, at=at)

    assert first != second
    assert len(talk.sessions()) == 2


def test_a_start_at_a_plug_nobody_set_up_is_refused_and_kept_to_read(talk):
    for connector_id in (0, 4):
        code = talk.fail("StartTransaction", start(connector_id=connector_id))
        assert code == "PropertyConstraintViolation"

    assert talk.sessions() == []
    assert [title for _, title in talk.notices()] == [
        "Transaction at unknown connector 0",
        "Transaction at unknown connector 4",
    ]
    assert talk.charger.is_open()


def test_a_start_out_of_an_offline_queue_is_as_old_as_the_charger_says(talk):
    begin(talk, at=clock(ago=timedelta(days=3)))

    charge = talk.session()
    assert utc_now() - charge.started_at > timedelta(days=2)
    assert Flag.OFFLINE in charge.flags


@pytest.mark.parametrize(
    ("at", "flags"),
    [
        ("1970-01-01T00:00:07Z", [Flag.CLOCK_WRONG]),
        ("2099-01-01T00:00:00Z", [Flag.CLOCK_WRONG]),
        ("2026-02-31T00:00:00Z", []),
        ("soon", []),
    ],
)
def test_an_impossible_time_is_replaced_by_ours(talk, at, flags):
    begin(talk, at=at)

    charge = talk.session()
    assert utc_now() - charge.started_at < timedelta(seconds=30)
    assert charge.flags == flags


def test_a_time_without_an_offset_is_utc(talk):
    begin(talk, at=clock(ago=timedelta(hours=1)).removesuffix("Z"))

    since = utc_now() - talk.session().started_at
    assert timedelta(minutes=59) < since < timedelta(minutes=61)


def test_a_negative_meter_is_no_meter(talk):
    begin(talk, meter=-5)

    charge = talk.session()
    assert charge.meter_start_wh is None
    assert Flag.METER_MISSING in charge.flags


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"meterStart": "12"}, "TypeConstraintViolation"),
        ({"meterStart": 2**40}, "PropertyConstraintViolation"),
        ({"idTag": "X" * 21}, "TypeConstraintViolation"),
        ({"colour": "red"}, "FormationViolation"),
    ],
)
def test_a_malformed_start_is_refused_and_the_socket_stays(talk, wrong, code):
    assert talk.fail("StartTransaction", start() | wrong) == code
    assert talk.sessions() == []
    assert talk.charger.is_open()


# ── StopTransaction ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("tag", "word"), [(CARD, "Accepted"), (STRANGER, "Invalid")])
def test_a_stop_says_whether_its_tag_is_good_and_ends_in_any_case(talk, tag, word):
    number = begin(talk)

    answer = talk.call("StopTransaction", stop(number, idTag=tag))

    assert answer == {"idTagInfo": {"status": word}}
    assert talk.session().status == SessionStatus.COMPLETED


def test_a_stop_that_comes_twice_ends_once(talk):
    told = stop(begin(talk))

    talk.call("StopTransaction", told)
    ended_at = talk.session().ended_at
    talk.call("StopTransaction", told)

    assert talk.session().ended_at == ended_at


@pytest.mark.parametrize("number", [-1, 0, 987_654])
def test_a_stop_of_a_transaction_nobody_knows_is_answered_and_kept(talk, number):
    assert talk.call("StopTransaction", stop(number)) == {}
    assert talk.call("StopTransaction", stop(number)) == {}

    assert {each.number for each in talk.rows(UnmatchedStop)} == {number}
    assert talk.sessions() == []


def test_a_stop_without_a_number_ends_the_only_one_it_can_be(talk):
    begin(talk, meter=1000)

    talk.call("StopTransaction", stop(-1, 2500, idTag=CARD))

    assert talk.session().status == SessionStatus.COMPLETED
    assert talk.session().energy_wh == 1500


def test_a_missed_stop_is_made_up_for_by_the_next_start(talk):
    first = begin(talk, meter=1000)
    talk.call("MeterValues", metered(first, {"value": "3000"}))

    begin(talk, meter=4000)

    ended, going_on = talk.sessions()
    assert ended.status == SessionStatus.COMPLETED
    assert Flag.STOP_MISSING in ended.flags
    assert going_on.status == SessionStatus.ACTIVE


def test_a_reason_that_is_not_told_is_local(talk):
    talk.call("StopTransaction", stop(begin(talk)))

    assert talk.session().stop_reason == "Local"


def test_what_a_stop_tells_of_the_whole_charge_is_counted_once(talk):
    number = begin(talk, meter=1000)
    talk.call("MeterValues", metered(number, {"value": "3000"}))
    told = [
        {"value": "1000", "context": "Transaction.Begin"},
        {"value": "2000", "context": "Sample.Periodic"},
        {"value": "3000", "context": "Sample.Periodic"},
        {"value": "4000", "context": "Transaction.End"},
    ]
    data = [{"timestamp": clock(), "sampledValue": [each]} for each in told]

    talk.call("StopTransaction", stop(number, 4000, transactionData=data))

    charge = talk.session()
    assert charge.energy_wh == 3000
    assert charge.flags == []


def test_a_stop_may_tell_a_whole_night_again(talk):
    number = begin(talk, meter=0)
    measurands = (ENERGY, "Power.Active.Import", "Current.Import", "Voltage")
    data = [
        {
            "timestamp": clock(),
            "sampledValue": [
                {"value": str(minute), "measurand": each, "context": "Sample.Periodic"}
                for each in measurands
            ],
        }
        for minute in range(12 * 60)
    ]

    talk.call("StopTransaction", stop(number, 719, transactionData=data))

    assert talk.session().energy_wh == 719
    assert len(talk.samples()) == 720


# ── MeterValues ──────────────────────────────────────────────────────────────────


def test_energy_power_and_charge_are_followed(talk):
    number = begin(talk, meter=1000)

    answer = talk.call(
        "MeterValues",
        metered(
            number,
            {"value": "3.5", "measurand": ENERGY, "unit": "kWh"},
            {"value": "20000", "measurand": "Power.Active.Import", "phase": "L1"},
            {"value": "20", "measurand": "Power.Active.Import", "phase": "L2"}
            | {"unit": "kW"},
            {"value": "20000.4", "measurand": "Power.Active.Import", "phase": "L3"},
            {"value": "54", "measurand": "SoC", "unit": "Percent", "location": "EV"},
        ),
    )

    assert answer == {}
    assert talk.session().energy_wh == 2500
    assert talk.samples() == [(3500, 60_000, 54)]


def test_meter_values_without_a_transaction_go_to_what_charges_there(talk):
    begin(talk, connector_id=3, meter=1000)

    talk.call("MeterValues", metered(None, {"value": "1500"}, connector_id=3))
    talk.call("MeterValues", metered(None, {"value": "9999"}, connector_id=1))
    talk.call("MeterValues", metered(None, {"value": "9999"}, connector_id=0))

    assert talk.session().energy_wh == 500
    assert talk.samples() == [(1500, None, None)]


@pytest.mark.parametrize("connector_id", [0, 9])
def test_the_transaction_counts_more_than_the_plug(talk, connector_id):
    number = begin(talk, meter=1000)

    told = metered(number, {"value": "1600"}, connector_id=connector_id)
    assert talk.call("MeterValues", told) == {}

    assert talk.session().energy_wh == 600


@pytest.mark.parametrize(
    "sampled",
    [
        {"value": "-5"},
        {"value": "NaN"},
        {"value": "9999999999999"},
        {"value": "OCMF|{}|{}", "format": "SignedData"},
        {"value": "101", "measurand": "SoC"},
        {"value": "230", "measurand": "Voltage"},
    ],
)
def test_values_that_say_nothing_true_are_answered_and_left_out(talk, sampled):
    number = begin(talk, meter=1000)

    assert talk.call("MeterValues", metered(number, sampled)) == {}

    assert talk.samples() == []
    assert talk.session().energy_wh == 0


def test_meter_values_of_a_transaction_nobody_knows_are_answered(talk):
    assert talk.call("MeterValues", metered(4711, {"value": "5"})) == {}
    assert talk.samples() == []


def test_meter_values_without_a_value_are_refused(talk):
    assert talk.fail("MeterValues", metered(1)) == "OccurenceConstraintViolation"
    assert talk.charger.is_open()


def test_a_meter_that_was_reset_takes_nothing_away_and_is_flagged(talk):
    number = begin(talk, meter=1000)

    for value in ("5000", "10", "60"):
        talk.call("MeterValues", metered(number, {"value": value}))

    charge = talk.session()
    assert charge.energy_wh >= 4000
    assert Flag.METER_DECREASED in charge.flags


# ── numbers ──────────────────────────────────────────────────────────────────────


def test_every_transaction_has_a_number_of_its_own(talk):
    numbers = [begin(talk, connector_id=1, meter=meter) for meter in (1, 2, 3)]

    assert len(set(numbers)) == 3
    assert [each.number for each in talk.rows(OcppTransaction)] == numbers
