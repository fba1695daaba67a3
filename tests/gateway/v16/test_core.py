"""OCPP 1.6, Core: what a charger says of itself, and what it is answered."""

from datetime import datetime, timedelta

import pytest

from evcharge.control.models import ChargerCommand
from evcharge.control.rules import CommandKind
from evcharge.kernel.clock import utc_now
from evcharge.stations.models import Charger, Connector
from evcharge.stations.rules import ReportedStatus

BOOT = {
    "chargePointVendor": "Tarang",
    "chargePointModel": "TG-60",
    "chargePointSerialNumber": "SN-0042",
    "firmwareVersion": "2.1.9",
}
KEYS = [
    "StopTransactionOnInvalidId",
    "MeterValueSampleInterval",
    "MeterValuesSampledData",
]


def status(connector_id, word, **more):
    return {"connectorId": connector_id, "status": word, "errorCode": "NoError"} | more


# ── BootNotification, Heartbeat ──────────────────────────────────────────────────


def test_a_boot_is_accepted_with_the_chargers_own_heartbeat(talk):
    answer = talk.call("BootNotification", BOOT)

    assert answer["status"] == "Accepted"
    assert answer["interval"] == 300
    assert datetime.fromisoformat(answer["currentTime"]) <= utc_now()
    connection = talk.connection()
    assert connection.serial_number == "SN-0042"
    assert connection.firmware_version == "2.1.9"
    assert connection.booted_at is not None
    (charger,) = talk.rows(Charger, Charger.id == talk.charger_id)
    assert (charger.vendor, charger.model) == ("Tarang", "TG-60")


def test_a_boot_that_says_too_little_is_refused_and_the_socket_stays(talk):
    assert talk.fail("BootNotification", {"chargePointModel": "X"}) == "ProtocolError"
    assert talk.charger.is_open()


def test_a_heartbeat_tells_the_time(talk):
    answer = talk.call("Heartbeat", {})

    told = datetime.fromisoformat(answer["currentTime"])
    assert abs(told - utc_now()) < timedelta(seconds=10)


# ── what it is set to after a boot ───────────────────────────────────────────────


def answer_boot(talk, *configured, unknown=()):
    talk.call("BootNotification", BOOT)
    question = talk.next_asked()
    assert question[2:] == ["GetConfiguration", {"key": KEYS}]
    keys = [
        {"key": key, "value": value, "readonly": readonly}
        for key, value, readonly in configured
    ]
    talk.charger.answer(
        question, {"configurationKey": keys, "unknownKey": list(unknown)}
    )


def next_change(talk, result="Accepted"):
    call = talk.next_asked()
    assert call[2] == "ChangeConfiguration"
    talk.charger.answer(call, {"status": result})
    return call[3]["key"], call[3]["value"]


def nothing_is_asked(talk):
    """A command of our own comes next, so nothing was waiting before it."""
    answer = {"status": "Accepted"}
    action, _, _ = talk.ask(CommandKind.RESET, answer, kind="soft")
    return action == "Reset"


def test_a_charger_is_told_what_it_has_set_otherwise(talk):
    answer_boot(
        talk,
        ("StopTransactionOnInvalidId", "false", False),
        ("MeterValueSampleInterval", "900", False),
        ("MeterValuesSampledData", "Energy.Active.Import.Register", False),
    )

    assert next_change(talk) == ("StopTransactionOnInvalidId", "true")
    assert next_change(talk) == ("MeterValueSampleInterval", "60")
    assert next_change(talk) == (
        "MeterValuesSampledData",
        "Energy.Active.Import.Register,Power.Active.Import,SoC",
    )
    assert nothing_is_asked(talk)
    assert talk.variables()["StopTransactionOnInvalidId"] == ("true", False)


def test_what_is_right_unknown_or_fixed_is_let_be(talk):
    answer_boot(
        talk,
        ("StopTransactionOnInvalidId", "True", False),
        ("MeterValueSampleInterval", "900", True),
        unknown=["MeterValuesSampledData"],
    )

    assert nothing_is_asked(talk)
    assert talk.variables()["MeterValueSampleInterval"] == ("900", True)


def test_a_charger_that_cannot_tell_the_charge_is_asked_for_less(talk):
    answer_boot(talk, ("MeterValuesSampledData", "Voltage", False))

    first = next_change(talk, "Rejected")
    second = next_change(talk)

    assert first[1].endswith(",SoC")
    assert second[1] == "Energy.Active.Import.Register,Power.Active.Import"
    assert nothing_is_asked(talk)


def test_an_operators_own_question_changes_nothing(talk):
    told = [{"key": KEYS[0], "value": "false", "readonly": False}]

    talk.ask(CommandKind.GET_VARIABLES, {"configurationKey": told}, names=KEYS)

    assert nothing_is_asked(talk)
    assert talk.variables() == {KEYS[0]: ("false", False)}


def test_what_a_charger_is_asked_after_its_boot_shows_in_the_console(talk):
    talk.call("BootNotification", BOOT)

    (command,) = talk.rows(ChargerCommand)
    assert (command.kind, command.created_by) == (CommandKind.GET_VARIABLES, None)


# ── StatusNotification ───────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("word", "reported"),
    [
        ("Available", ReportedStatus.AVAILABLE),
        ("Preparing", ReportedStatus.PREPARING),
        ("Charging", ReportedStatus.CHARGING),
        ("SuspendedEV", ReportedStatus.SUSPENDED_EV),
        ("SuspendedEVSE", ReportedStatus.SUSPENDED_EVSE),
        ("Finishing", ReportedStatus.FINISHING),
        ("Reserved", ReportedStatus.RESERVED),
        ("Unavailable", ReportedStatus.UNAVAILABLE),
        ("Faulted", ReportedStatus.FAULTED),
    ],
)
def test_a_status_is_written_at_its_plug(talk, word, reported):
    assert talk.call("StatusNotification", status(3, word)) == {}

    assert talk.plug(evse=2).reported_status == reported


def test_connectors_are_counted_through_the_whole_charger(talk):
    talk.call("StatusNotification", status(2, "Faulted"))

    assert talk.plug(1, 1).reported_status == ReportedStatus.AVAILABLE
    assert talk.plug(1, 2).reported_status == ReportedStatus.FAULTED
    assert talk.plug(2, 1).reported_status is None


def test_a_fault_keeps_the_vendors_code_until_it_is_over(talk):
    talk.call(
        "StatusNotification",
        status(
            1,
            "Faulted",
            errorCode="GroundFailure",
            vendorErrorCode="E-217",
            info="RCD tripped",
        ),
    )
    faulted = talk.plug()
    talk.call("StatusNotification", status(1, "Available"))
    well = talk.plug()

    assert faulted.error_code == "GroundFailure"
    assert faulted.vendor_error_code == "E-217"
    assert faulted.error_info == "RCD tripped"
    assert (well.error_code, well.vendor_error_code, well.error_info) == ("", "", "")


def test_what_is_wrong_with_the_whole_charger_is_kept_to_read(talk):
    talk.call("StatusNotification", status(0, "Available"))
    talk.call("StatusNotification", status(0, "Unavailable"))
    talk.call("StatusNotification", status(0, "Faulted", errorCode="PowerMeterFailure"))

    assert talk.notices() == [
        ("other", "Charger: Unavailable"),
        ("other", "Charger: Faulted PowerMeterFailure"),
    ]


@pytest.mark.parametrize("connector_id", [4, -1, 2**31 - 1])
def test_a_plug_nobody_set_up_is_answered_and_kept_to_read(talk, connector_id):
    assert talk.call("StatusNotification", status(connector_id, "Charging")) == {}

    title = f"Unknown connector {connector_id}: Charging"
    assert talk.notices() == [("other", title)]


def test_a_plug_that_was_set_up_meanwhile_is_found(talk):
    with talk.database.transaction() as session:
        evse_id = talk.plug(evse=2).evse_id
        session.add(Connector(evse_id=evse_id, number=2, kind="ccs2", power_w=50_000))

    talk.call("StatusNotification", status(4, "Preparing"))

    assert talk.plug(evse=2, connector=2).reported_status == ReportedStatus.PREPARING
    assert talk.notices() == []


def test_a_status_with_an_impossible_time_counts_all_the_same(talk):
    for timestamp in ("2026-02-31T00:00:00Z", "1970-01-01T00:00:00", "9999-12-31"):
        payload = status(1, "Charging", timestamp=timestamp)
        assert talk.call("StatusNotification", payload) == {}

    assert talk.plug().reported_status == ReportedStatus.CHARGING


def test_an_unknown_status_is_a_violation_and_changes_nothing(talk):
    code = talk.fail("StatusNotification", status(1, "OnFire"))

    assert code == "PropertyConstraintViolation"
    assert talk.plug().reported_status == ReportedStatus.AVAILABLE


# ── DataTransfer, firmware, security ─────────────────────────────────────────────


def test_a_vendors_own_words_are_kept_and_not_known(talk):
    payload = {"vendorId": "com.example", "messageId": "fan", "data": "speed=3"}

    assert talk.call("DataTransfer", payload) == {"status": "UnknownVendorId"}

    notice = talk.notice()
    assert (notice.kind, notice.title) == ("data_transfer", "com.example")
    assert notice.details == payload


@pytest.mark.parametrize(
    ("action", "payload", "answer", "notice"),
    [
        (
            "FirmwareStatusNotification",
            {"status": "Installed"},
            {},
            ("firmware", "Firmware: Installed"),
        ),
        (
            "DiagnosticsStatusNotification",
            {"status": "UploadFailed"},
            {},
            ("diagnostics", "Diagnostics: UploadFailed"),
        ),
        (
            "SecurityEventNotification",
            {"type": "TamperDetectionActivated", "timestamp": "2026-11-23T10:00:00Z"},
            {},
            ("security", "TamperDetectionActivated"),
        ),
        (
            "LogStatusNotification",
            {"status": "Uploaded", "requestId": 3},
            {},
            ("log", "Log: Uploaded"),
        ),
        (
            "SignedFirmwareStatusNotification",
            {"status": "InvalidSignature", "requestId": 4},
            {},
            ("firmware", "Firmware: InvalidSignature"),
        ),
        (
            "SignCertificate",
            {"csr": "-----BEGIN CERTIFICATE REQUEST-----"},
            {"status": "Rejected"},
            ("security", "Wants a certificate signed"),
        ),
    ],
)
def test_what_nothing_acts_on_is_kept_to_read(talk, action, payload, answer, notice):
    assert talk.call(action, payload) == answer

    assert talk.notices() == [notice]
    assert talk.notice().details == payload


@pytest.mark.parametrize(
    "action",
    ["FirmwareStatusNotification", "DiagnosticsStatusNotification", "DataTransfer"],
)
def test_what_says_nothing_is_refused_and_not_kept(talk, action):
    assert talk.fail(action, {}) == "ProtocolError"
    assert talk.notices() == []


def test_what_is_not_spoken_here_is_said_so_and_the_socket_stays(talk):
    assert talk.fail("ClearCache", {}) == "NotSupported"
    assert talk.fail("MakeCoffee", {}) == "NotImplemented"
    assert talk.charger.is_open()
