"""OCPP 2.0.1: what a charger says, block by block, and what it is answered."""

from datetime import datetime, timedelta

import pytest

import make
from desk import Desk
from evcharge.bookings.models import Booking
from evcharge.bookings.rules import BookingStatus
from evcharge.charging.models import OcppReservation
from evcharge.control.models import ChargerMessage
from evcharge.control.rules import CommandKind
from evcharge.kernel.clock import utc_now
from evcharge.stations.rules import ReportedStatus
from talk import CARD

NOW = "2026-11-23T10:00:00Z"
STATION = {
    "vendorName": "Vidyut",
    "model": "VX-120",
    "serialNumber": "SN-0043",
    "firmwareVersion": "7.0.1",
}
ENERGY = "Energy.Active.Import.Register"


def boot(reason="PowerUp"):
    return {"reason": reason, "chargingStation": STATION}


def status(evse, connector, word):
    place = {"evseId": evse, "connectorId": connector}
    return place | {"connectorStatus": word, "timestamp": NOW}


def token(text, kind="ISO14443"):
    return {"idToken": {"idToken": text, "type": kind}}


# ── B, Provisioning ──────────────────────────────────────────────────────────────


def test_a_boot_is_accepted_with_the_chargers_own_heartbeat(talk):
    answer = talk.call("BootNotification", boot())

    assert answer["status"] == "Accepted"
    assert answer["interval"] == 300
    connection = talk.connection()
    assert connection.protocol == "ocpp2.0.1"
    assert connection.serial_number == "SN-0043"
    assert connection.firmware_version == "7.0.1"


def test_a_boot_without_a_reason_is_refused_and_the_socket_stays(talk):
    code = talk.fail("BootNotification", {"chargingStation": STATION})

    assert code == "OccurrenceConstraintViolation"
    assert talk.charger.is_open()


def result(name, word="Accepted", value=None):
    component, variable = name.split(".")
    told = {
        "attributeStatus": word,
        "component": {"name": component},
        "variable": {"name": variable},
    }
    return told if value is None else told | {"attributeValue": value}


def answer_boot(talk, *results):
    talk.call("BootNotification", boot())
    question = talk.next_asked()
    assert question[2] == "GetVariables"
    names = [
        f"{each['component']['name']}.{each['variable']['name']}"
        for each in question[3]["getVariableData"]
    ]
    talk.charger.answer(question, {"getVariableResult": list(results)})
    return names


def next_change(talk, word="Accepted"):
    call = talk.next_asked()
    assert call[2] == "SetVariables"
    (told,) = call[3]["setVariableData"]
    name = f"{told['component']['name']}.{told['variable']['name']}"
    talk.charger.answer(call, {"setVariableResult": [result(name, word)]})
    return name, told["attributeValue"]


def nothing_is_asked(talk):
    action, _, _ = talk.ask(CommandKind.RESET, {"status": "Accepted"}, kind="soft")
    return action == "Reset"


def test_a_charger_is_told_what_it_has_set_otherwise(talk):
    names = answer_boot(
        talk,
        result("TxCtrlr.StopTxOnInvalidId", value="false"),
        result("SampledDataCtrlr.TxUpdatedInterval", value="60"),
        result("SampledDataCtrlr.TxUpdatedMeasurands", value="Voltage"),
        result("SampledDataCtrlr.TxStartedMeasurands", "UnknownVariable"),
        result("SampledDataCtrlr.TxEndedMeasurands", value=f"SoC,{ENERGY}"),
    )

    assert len(names) == 5
    assert next_change(talk) == ("TxCtrlr.StopTxOnInvalidId", "true")
    assert next_change(talk, "Rejected")[1] == f"{ENERGY},Power.Active.Import,SoC"
    assert next_change(talk)[1] == f"{ENERGY},Power.Active.Import"
    assert nothing_is_asked(talk)
    assert talk.variables()["TxCtrlr.StopTxOnInvalidId"] == ("true", False)


def test_a_boot_that_was_asked_for_is_none(talk):
    talk.call("BootNotification", boot("Triggered"))

    assert nothing_is_asked(talk)


def report(*data, seq_no=0):
    told = {"requestId": 7, "generatedAt": NOW, "seqNo": seq_no}
    return told | ({"reportData": list(data)} if data else {})


def test_a_report_fills_the_list_of_settings(talk):
    answer = talk.call(
        "NotifyReport",
        report(
            {
                "component": {"name": "OCPPCommCtrlr"},
                "variable": {"name": "HeartbeatInterval"},
                "variableAttribute": [
                    {"type": "Target", "value": "1"},
                    {"value": "300"},
                ],
            },
            {
                "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 2}},
                "variable": {"name": "SupplyPhases", "instance": "x"},
                "variableAttribute": [{"value": "3", "mutability": "ReadOnly"}],
            },
            {
                "component": {"name": "SecurityCtrlr"},
                "variable": {"name": "BasicAuthPassword"},
                "variableAttribute": [{"value": "s3cret", "mutability": "WriteOnly"}],
            },
        ),
    )

    assert answer == {}
    assert talk.variables() == {
        "OCPPCommCtrlr.HeartbeatInterval": ("300", False),
        "Connector@1/2.SupplyPhases#x": ("3", True),
        "SecurityCtrlr.BasicAuthPassword": (None, False),
    }
    bodies = [each.body for each in talk.rows(ChargerMessage)]
    assert any("BasicAuthPassword" in each for each in bodies)
    assert not any("s3cret" in each for each in bodies)
    assert talk.notices() == [("report", "Report 7, part 1")]


def test_a_report_without_anything_in_it_is_answered(talk):
    assert talk.call("NotifyReport", report(seq_no=1)) == {}
    assert talk.notices() == [("report", "Report 7, part 2")]
    assert talk.variables() == {}


# ── C, Authorization ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("tag", "word"), [(CARD, "Accepted"), ("DEADBEEF", "Invalid")])
def test_authorize_says_whether_the_tag_may_charge(talk, tag, word):
    assert talk.call("Authorize", token(tag)) == {"idTokenInfo": {"status": word}}


def test_nobody_is_not_authorized(talk):
    answer = talk.call("Authorize", token("", "NoAuthorization"))

    assert answer == {"idTokenInfo": {"status": "Invalid"}}


def test_a_contract_of_a_vehicle_is_not_known_here(talk):
    answer = talk.call("Authorize", token(CARD, "eMAID") | {"certificate": "PEM"})

    assert answer == {
        "idTokenInfo": {"status": "Invalid"},
        "certificateStatus": "NoCertificateAvailable",
    }


def test_an_unknown_kind_of_token_is_a_violation(talk):
    code = talk.fail("Authorize", token(CARD, "Handshake"))

    assert code == "PropertyConstraintViolation"
    assert talk.charger.is_open()


# ── G, Availability ──────────────────────────────────────────────────────────────


def test_a_heartbeat_tells_the_time(talk):
    told = datetime.fromisoformat(talk.call("Heartbeat", {})["currentTime"])

    assert abs(told - utc_now()) < timedelta(seconds=10)


@pytest.mark.parametrize(
    ("word", "reported"),
    [
        ("Available", ReportedStatus.AVAILABLE),
        ("Occupied", ReportedStatus.OCCUPIED),
        ("Reserved", ReportedStatus.RESERVED),
        ("Unavailable", ReportedStatus.UNAVAILABLE),
        ("Faulted", ReportedStatus.FAULTED),
    ],
)
def test_a_status_is_written_at_its_plug(talk, word, reported):
    assert talk.call("StatusNotification", status(1, 2, word)) == {}

    assert talk.plug(1, 2).reported_status == reported
    assert talk.plug(2, 1).reported_status is None


@pytest.mark.parametrize(("evse", "connector"), [(0, 0), (1, 3), (9, 1)])
def test_a_plug_nobody_set_up_is_answered_and_kept_to_read(talk, evse, connector):
    assert talk.call("StatusNotification", status(evse, connector, "Faulted")) == {}

    title = f"Unknown connector {evse}/{connector}: Faulted"
    assert talk.notices() == [("other", title)]


def test_the_words_of_the_older_version_are_violations(talk):
    code = talk.fail("StatusNotification", status(1, 1, "Charging"))

    assert code == "PropertyConstraintViolation"


# ── H, Reservation ───────────────────────────────────────────────────────────────


@pytest.fixture
def reservation(talk):
    """The number by which the charger was told of a booking."""
    evse_id = talk.plug().evse_id
    with talk.database.transaction() as session:
        driver_id = make.a_user(session).id
    booking = Desk(talk.database, driver_id, evse_id).book()
    with talk.database.transaction() as session:
        row = OcppReservation(
            booking_id=booking.id,
            charger_id=talk.charger_id,
            evse_id=evse_id,
            created_at=make.NOON,
        )
        session.add(row)
        session.flush()
        return row.number


@pytest.mark.parametrize("word", ["Expired", "Removed"])
def test_a_reservation_that_is_over_at_the_charger_leaves_the_booking(
    talk, reservation, word
):
    told = {"reservationId": reservation, "reservationUpdateStatus": word}

    assert talk.call("ReservationStatusUpdate", told) == {}

    (row,) = talk.rows(OcppReservation)
    assert row.ended_at is not None
    (booking,) = talk.rows(Booking)
    assert booking.status == BookingStatus.ACTIVE


@pytest.mark.parametrize("word", ["Expired", "Removed"])
def test_a_reservation_nobody_knows_is_let_pass(talk, word):
    told = {"reservationId": 99, "reservationUpdateStatus": word}

    assert talk.call("ReservationStatusUpdate", told) == {}


def test_a_reservation_that_ends_in_no_known_way_is_a_violation(talk):
    told = {"reservationId": 99, "reservationUpdateStatus": "Eaten"}

    code = talk.fail("ReservationStatusUpdate", told)

    assert code == "PropertyConstraintViolation"


# ── A, K, L, M, N, O, P: kept to read ────────────────────────────────────────────

EVENT = {
    "eventId": 1,
    "timestamp": NOW,
    "trigger": "Alerting",
    "actualValue": "true",
    "component": {"name": "EVSE", "evse": {"id": 1}},
    "eventNotificationType": "HardWiredNotification",
    "variable": {"name": "Problem"},
}
HASHES = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "a",
    "issuerKeyHash": "b",
    "serialNumber": "1",
    "responderURL": "https://example.com",
}
SCHEDULE = {
    "id": 1,
    "chargingRateUnit": "W",
    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 11_000.0}],
}
PROFILE = {
    "id": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": [SCHEDULE],
}
KEPT = [
    (
        "SecurityEventNotification",
        {"type": "TamperDetectionActivated", "timestamp": NOW},
        {},
        ("security", "TamperDetectionActivated"),
    ),
    (
        "SignCertificate",
        {"csr": "PEM"},
        {"status": "Rejected"},
        ("security", "Wants a certificate signed"),
    ),
    (
        "Get15118EVCertificate",
        {"iso15118SchemaVersion": "urn:x", "action": "Install", "exiRequest": "AA=="},
        {"status": "Failed", "exiResponse": ""},
        ("security", "Wants a vehicle's certificate"),
    ),
    (
        "GetCertificateStatus",
        {"ocspRequestData": HASHES},
        {"status": "Failed"},
        ("security", "Wants the status of a certificate"),
    ),
    (
        "FirmwareStatusNotification",
        {"status": "InstallRebooting", "requestId": 1},
        {},
        ("firmware", "Firmware: InstallRebooting"),
    ),
    (
        "PublishFirmwareStatusNotification",
        {"status": "Published", "location": ["https://example.com/fw"]},
        {},
        ("firmware", "Firmware to others: Published"),
    ),
    (
        "LogStatusNotification",
        {"status": "Uploading", "requestId": 1},
        {},
        ("log", "Log: Uploading"),
    ),
    (
        "NotifyEvent",
        {"generatedAt": NOW, "seqNo": 0, "eventData": [EVENT]},
        {},
        ("diagnostics", "Alerting: EVSE@1.Problem = true"),
    ),
    (
        "NotifyMonitoringReport",
        {"requestId": 3, "seqNo": 0, "generatedAt": NOW},
        {},
        ("report", "Monitoring report 3"),
    ),
    (
        "NotifyCustomerInformation",
        {"data": "none", "seqNo": 0, "generatedAt": NOW, "requestId": 4},
        {},
        ("report", "Customer report 4"),
    ),
    (
        "NotifyDisplayMessages",
        {"requestId": 5},
        {},
        ("report", "Display messages 5"),
    ),
    (
        "ReportChargingProfiles",
        {"requestId": 6, "chargingLimitSource": "CSO", "evseId": 1}
        | {"chargingProfile": [PROFILE]},
        {},
        ("report", "Charging profiles 6"),
    ),
    (
        "NotifyChargingLimit",
        {"chargingLimit": {"chargingLimitSource": "SO"}},
        {},
        ("other", "Limited by SO"),
    ),
    (
        "ClearedChargingLimit",
        {"chargingLimitSource": "EMS"},
        {},
        ("other", "No longer limited by EMS"),
    ),
    (
        "NotifyEVChargingNeeds",
        {"evseId": 1, "chargingNeeds": {"requestedEnergyTransfer": "DC"}},
        {"status": "Rejected"},
        ("other", "A vehicle's needs at EVSE 1"),
    ),
    (
        "NotifyEVChargingSchedule",
        {"timeBase": NOW, "evseId": 1, "chargingSchedule": SCHEDULE},
        {"status": "Accepted"},
        ("other", "A vehicle's plan at EVSE 1"),
    ),
    (
        "DataTransfer",
        {"vendorId": "com.example", "data": {"speed": [3]}},
        {"status": "UnknownVendorId"},
        ("data_transfer", "com.example"),
    ),
]


@pytest.mark.parametrize(
    ("action", "payload", "answer", "notice"), KEPT, ids=[each[0] for each in KEPT]
)
def test_what_nothing_acts_on_is_kept_to_read(talk, action, payload, answer, notice):
    assert talk.call(action, payload) == answer

    assert talk.notices() == [notice]
    assert talk.notice().details == payload


@pytest.mark.parametrize("action", [each[0] for each in KEPT if each[1]])
def test_what_says_too_little_is_refused_and_not_kept(talk, action):
    assert talk.fail(action, {}) == "OccurrenceConstraintViolation"
    assert talk.notices() == []


def test_what_is_not_spoken_here_is_said_so_and_the_socket_stays(talk):
    assert talk.fail("ClearCache", {}) == "NotSupported"
    assert talk.fail("StartTransaction", {}) == "NotImplemented"
    assert talk.charger.is_open()
