"""What the schemas let through and no column was made for: answered, kept, survived."""

from copy import deepcopy

import pytest

from evcharge.gateway import pace
from talk import talking

AT = "2026-11-23T10:00:00Z"
EVSE = {"id": 1, "connectorId": 1}
TOKEN = {"idToken": "04A1B2C3", "type": "ISO14443"}
V16 = {
    "BootNotification": {"chargePointVendor": "V", "chargePointModel": "M"},
    "Heartbeat": {},
    "Authorize": {"idTag": "04A1B2C3"},
    "StatusNotification": {
        "connectorId": 1,
        "errorCode": "OtherError",
        "status": "Faulted",
        "info": "i",
        "vendorId": "v",
        "vendorErrorCode": "e",
        "timestamp": AT,
    },
    "StartTransaction": {
        "connectorId": 1,
        "idTag": "04A1B2C3",
        "meterStart": 1,
        "reservationId": 1,
        "timestamp": AT,
    },
    "MeterValues": {
        "connectorId": 1,
        "transactionId": 1,
        "meterValue": [{"timestamp": AT, "sampledValue": [{"value": "5"}]}],
    },
    "StopTransaction": {
        "transactionId": 1,
        "idTag": "04A1B2C3",
        "meterStop": 10,
        "timestamp": AT,
        "reason": "Local",
        "transactionData": [{"timestamp": AT, "sampledValue": [{"value": "7"}]}],
    },
    "DataTransfer": {"vendorId": "v", "messageId": "m", "data": "d"},
    "FirmwareStatusNotification": {"status": "Installed"},
    "DiagnosticsStatusNotification": {"status": "Uploaded"},
}
V201 = {
    "BootNotification": {
        "reason": "PowerUp",
        "chargingStation": {"model": "M", "vendorName": "V", "serialNumber": "s"},
    },
    "Authorize": {"idToken": TOKEN},
    "StatusNotification": {
        "timestamp": AT,
        "connectorStatus": "Faulted",
        "evseId": 1,
        "connectorId": 1,
    },
    "TransactionEvent": {
        "eventType": "Started",
        "timestamp": AT,
        "triggerReason": "Authorized",
        "seqNo": 0,
        "offline": False,
        "numberOfPhasesUsed": 3,
        "cableMaxCurrent": 32,
        "reservationId": 1,
        "transactionInfo": {
            "transactionId": "t",
            "chargingState": "Charging",
            "remoteStartId": 1,
            "timeSpentCharging": 1,
        },
        "evse": EVSE,
        "idToken": TOKEN,
        "meterValue": [
            {
                "timestamp": AT,
                "sampledValue": [
                    {"value": 5, "unitOfMeasure": {"unit": "kWh", "multiplier": 0}},
                    {"value": 5, "measurand": "SoC"},
                    {"value": 5, "measurand": "Power.Active.Import"},
                ],
            }
        ],
    },
    "MeterValues": {
        "evseId": 1,
        "meterValue": [{"timestamp": AT, "sampledValue": [{"value": 5}]}],
    },
    "NotifyReport": {
        "requestId": 1,
        "generatedAt": AT,
        "seqNo": 0,
        "tbc": False,
        "reportData": [
            {
                "component": {"name": "C", "evse": EVSE},
                "variable": {"name": "V"},
                "variableAttribute": [{"value": "x"}],
            }
        ],
    },
    "ReservationStatusUpdate": {
        "reservationId": 1,
        "reservationUpdateStatus": "Expired",
    },
    "SecurityEventNotification": {"type": "T", "timestamp": AT, "techInfo": "x"},
    "NotifyEvent": {
        "generatedAt": AT,
        "seqNo": 0,
        "eventData": [
            {
                "eventId": 1,
                "timestamp": AT,
                "trigger": "Alerting",
                "cause": 1,
                "actualValue": "x",
                "eventNotificationType": "CustomMonitor",
                "component": {"name": "C", "evse": EVSE},
                "variable": {"name": "V"},
            }
        ],
    },
    "DataTransfer": {"vendorId": "v", "messageId": "m", "data": {"a": [1, "x"]}},
    "FirmwareStatusNotification": {"status": "Installed", "requestId": 1},
    "LogStatusNotification": {"status": "Uploaded", "requestId": 1},
}
NUMBERS = [-1, 0, -(2**31), 2**31, 2**31 - 1, 10**17, -(10**17), 1e308, -1e-308, 10.0]
TEXTS = [
    *("", "\0", "a\0b", "\ud800", "x" * 36, "x" * 20, "é" * 20, "%s'\";--"),
    *("-1e400", "9" * 20, "NaN"),
]
TIMES = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-11-23T10:00:00.999999999999Z",
    "2026-W48-1T10:00:00Z",
    "20261123T100000Z",
    "2026-11-23",
    "2026-11-23T10:00:00+23:59",
    "1969-12-31T23:59:59Z",
]


def leaves(value, path=()):
    if isinstance(value, dict):
        for name, each in value.items():
            yield from leaves(each, (*path, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from leaves(each, (*path, number))
    else:
        yield path, value


def replaced(payload, path, value):
    changed = deepcopy(payload)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


def hostile(payload):
    for path, value in leaves(payload):
        if isinstance(value, bool):
            continue
        odd = NUMBERS if isinstance(value, int | float) else TEXTS
        if value == AT:
            odd = [*TIMES, *TEXTS]
        for each in odd:
            yield path, each, replaced(payload, path, each)


@pytest.mark.parametrize(
    ("protocol", "messages"), [("ocpp1.6", V16), ("ocpp2.0.1", V201)]
)
def test_no_value_makes_the_gateway_stumble(
    served, protocol, messages, caplog, monkeypatch
):
    monkeypatch.setattr(pace, "BURST", 10_000)
    stumbled = []
    with talking(served(), protocol) as talk:
        for action, payload in messages.items():
            for number, (path, value, said) in enumerate(hostile(payload)):
                if action == "TransactionEvent" and path[-1] != "transactionId":
                    said["transactionInfo"]["transactionId"] = f"t{number}"
                message_id = talk.charger.say(action, said)
                while (frame := talk.charger.receive())[0] == 2:
                    pass
                assert frame[1] in (message_id, "-1")
                if frame[0] == 4 and frame[2] == "InternalError":
                    stumbled.append((action, path, value))
        assert talk.charger.is_open()

    assert stumbled == []
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []
