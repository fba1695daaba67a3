"""What chargers say and do over a real socket, in both versions, by the schemas."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from evcharge.simulator.build import Plan
from evcharge.simulator.clock import Clock, rfc3339, seconds_of
from evcharge.simulator.fleet import Fleet
from evcharge.simulator.ledger import Ledger
from evcharge.simulator.spec import AtStart, ChargerSpec, EvseSpec
from evcharge.simulator.trouble import Trouble
from evcharge.simulator.visits import Plug
from loops import run_apart
from simulator.csms import a_csms

EVSES = (
    EvseSpec(1, (Plug(1, "ccs2", 60_000), Plug(2, "chademo", 50_000))),
    EvseSpec(2, (Plug(1, "type2", 22_000),)),
)
SPEED = 60


@asynccontextmanager
async def a_network(version, *, ledger=None, evses=EVSES, speed=SPEED, **plan):
    """One charger CP-1 that has booted, and its server."""
    async with a_csms() as csms:
        options = {"busy": 0.0, "spread_seconds": 0.0, "trouble": Trouble(0)} | plan
        book = Ledger(ledger)
        clock = Clock(speed)
        fleet = Fleet(Plan(csms.url, **options), clock=clock, ledger=book)
        fleet.add(ChargerSpec("CP-1", "k" * 20, version, evses, cards=("CARD1",)))
        csms.fleet, csms.clock = fleet, clock
        await csms.hear("StatusNotification", 3 if version == "2.0.1" else 4)
        yield csms
        await fleet.end(is_settled=plan.get("settle", False))
        book.close()
        assert csms.problems == []


def talk(conversation):
    run_apart(conversation)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_charger_boots_and_says_how_every_plug_is(version):
    async def conversation():
        async with a_network(version) as csms:
            actions = [action for _, action, _ in csms.calls]
            assert actions[0] == "BootNotification"
            assert set(actions[1:]) == {"StatusNotification"}

    talk(conversation())


def test_plugs_are_numbered_one_after_the_other_in_1_6():
    async def conversation():
        async with a_network("1.6") as csms:
            said = csms.heard("StatusNotification")
            assert [each["connectorId"] for each in said] == [0, 1, 2, 3]

    talk(conversation())


def test_start_from_the_app_charges_and_stops_in_1_6():
    async def conversation():
        async with a_network("1.6") as csms:
            asked = {"connectorId": 3, "idTag": "EV-7K3M9Q"}
            started = await csms.ask("CP-1", "RemoteStartTransaction", asked)
            [start] = await csms.hear("StartTransaction")
            await csms.hear("MeterValues", 2)
            asked = {"transactionId": 1}
            stopped = await csms.ask("CP-1", "RemoteStopTransaction", asked)
            [stop] = await csms.hear("StopTransaction")

            assert started == stopped == {"status": "Accepted"}
            assert (start["connectorId"], start["idTag"]) == (3, "EV-7K3M9Q")
            assert (stop["transactionId"], stop["reason"]) == (1, "Remote")
            assert stop["meterStop"] > start["meterStart"]

    talk(conversation())


def test_start_from_the_app_charges_and_stops_in_2_0_1():
    async def conversation():
        async with a_network("2.0.1") as csms:
            token = {"idToken": "EV-7K3M9Q", "type": "Central"}
            asked = {"evseId": 1, "remoteStartId": 9, "idToken": token}
            started = await csms.ask("CP-1", "RequestStartTransaction", asked)
            [first, *_] = await csms.hear("TransactionEvent", 4)
            ref = first["transactionInfo"]["transactionId"]
            asked = {"transactionId": ref}
            stopped = await csms.ask("CP-1", "RequestStopTransaction", asked)
            await csms.hear_that(lambda _, said: said.get("eventType") == "Ended")
            events = csms.heard("TransactionEvent")

            assert started == stopped == {"status": "Accepted"}
            assert first["triggerReason"] == "RemoteStart"
            assert first["transactionInfo"]["remoteStartId"] == 9
            assert first["idToken"] == token
            assert [each["seqNo"] for each in events] == list(range(len(events)))
            assert events[-1]["transactionInfo"]["stoppedReason"] == "Remote"
            assert not any(each["offline"] for each in events)

    talk(conversation())


def test_a_tag_the_server_refuses_at_the_start_does_not_charge_on():
    async def conversation():
        async with a_network("1.6") as csms:
            info = {"status": "Invalid"}
            csms.says["StartTransaction"] = lambda *_: {
                "transactionId": 7,
                "idTagInfo": info,
            }
            asked = {"connectorId": 1, "idTag": "EV-FOREIGN"}
            await csms.ask("CP-1", "RemoteStartTransaction", asked)
            [stop] = await csms.hear("StopTransaction")

            assert (stop["transactionId"], stop["reason"]) == (7, "DeAuthorized")

    talk(conversation())


def test_a_reserved_driver_comes_with_the_reference_in_both_versions():
    async def conversation(version):
        async with a_network(version, seed=4) as csms:
            until = rfc3339(csms.clock.now() + 3600)
            if version == "1.6":
                action, asked = "StartTransaction", {
                    "connectorId": 3,
                    "expiryDate": until,
                    "idTag": "EV-7K3M9Q",
                    "reservationId": 4,
                }  # fmt: skip
            else:
                token = {"idToken": "EV-7K3M9Q", "type": "Central"}
                action, asked = "TransactionEvent", {
                    "id": 4, "expiryDateTime": until, "idToken": token, "evseId": 2,
                }  # fmt: skip
            reserved = await csms.ask("CP-1", "ReserveNow", asked)
            [shown] = await csms.hear("Authorize")
            [start, *_] = await csms.hear(action)

            assert reserved == {"status": "Accepted"}
            assert "EV-7K3M9Q" in json.dumps(shown)
            assert start["reservationId"] == 4

    talk(conversation("1.6"))
    talk(conversation("2.0.1"))


COMMANDS_16 = [
    ("Reset", {"type": "Soft"}, "Accepted"),
    ("UnlockConnector", {"connectorId": 1}, "Unlocked"),
    ("UnlockConnector", {"connectorId": 9}, "NotSupported"),
    ("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}, "Accepted"),
    ("ChangeAvailability", {"connectorId": 9, "type": "Inoperative"}, "Rejected"),
    ("TriggerMessage", {"requestedMessage": "Heartbeat"}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "BootNotification"}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "StatusNotification"}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "MeterValues"}, "Accepted"),
    (
        "TriggerMessage",
        {"requestedMessage": "FirmwareStatusNotification"},
        "NotImplemented",
    ),
    ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "60"}, "Accepted"),
    ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "x"}, "Rejected"),
    ("ChangeConfiguration", {"key": "NumberOfConnectors", "value": "9"}, "Rejected"),
    ("ChangeConfiguration", {"key": "Colour", "value": "9"}, "NotSupported"),
    ("CancelReservation", {"reservationId": 9}, "Rejected"),
    ("RemoteStopTransaction", {"transactionId": 9}, "Rejected"),
    ("RemoteStartTransaction", {"connectorId": 9, "idTag": "A"}, "Rejected"),
    ("ClearCache", {}, "Accepted"),
    ("DataTransfer", {"vendorId": "x"}, "UnknownVendorId"),
]
EVSE_1 = {"id": 1, "connectorId": 1}
OUT = {"operationalStatus": "Inoperative"}
COMMANDS_201 = [
    ("Reset", {"type": "Immediate"}, "Accepted"),
    ("Reset", {"type": "OnIdle"}, "Accepted"),
    ("UnlockConnector", {"evseId": 1, "connectorId": 2}, "Unlocked"),
    ("UnlockConnector", {"evseId": 7, "connectorId": 2}, "UnknownConnector"),
    ("ChangeAvailability", {"evse": EVSE_1, **OUT}, "Accepted"),
    ("ChangeAvailability", {"evse": {"id": 9}, **OUT}, "Rejected"),
    ("TriggerMessage", {"requestedMessage": "Heartbeat"}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "BootNotification"}, "Accepted"),
    (
        "TriggerMessage",
        {"requestedMessage": "StatusNotification", "evse": EVSE_1},
        "Accepted",
    ),
    ("TriggerMessage", {"requestedMessage": "MeterValues"}, "Accepted"),
    (
        "TriggerMessage",
        {"requestedMessage": "LogStatusNotification"},
        "NotImplemented",
    ),
    ("CancelReservation", {"reservationId": 9}, "Rejected"),
    ("RequestStopTransaction", {"transactionId": "x"}, "Rejected"),
    ("ClearCache", {}, "Accepted"),
    ("DataTransfer", {"vendorId": "x"}, "UnknownVendorId"),
]


@pytest.mark.parametrize(("action", "payload", "status"), COMMANDS_16)
def test_commands_of_1_6_are_answered_by_the_book(action, payload, status):
    async def conversation():
        async with a_network("1.6") as csms:
            answer = await csms.ask("CP-1", action, payload)
            assert answer == {"status": status}

    talk(conversation())


@pytest.mark.parametrize(("action", "payload", "status"), COMMANDS_201)
def test_commands_of_2_0_1_are_answered_by_the_book(action, payload, status):
    async def conversation():
        async with a_network("2.0.1") as csms:
            answer = await csms.ask("CP-1", action, payload)
            assert answer == {"status": status}

    talk(conversation())


def test_settings_are_read_and_the_key_is_never_shown_in_1_6():
    async def conversation():
        async with a_network("1.6") as csms:
            asked = {"key": ["MeterValueSampleInterval", "AuthorizationKey", "Colour"]}
            some = await csms.ask("CP-1", "GetConfiguration", asked)
            everything = await csms.ask("CP-1", "GetConfiguration", {})

            assert some == {
                "configurationKey": [
                    {
                        "key": "MeterValueSampleInterval",
                        "readonly": False,
                        "value": "60",
                    },
                    {"key": "AuthorizationKey", "readonly": False},
                ],
                "unknownKey": ["Colour"],
            }
            assert len(everything["configurationKey"]) > 15

    talk(conversation())


def test_variables_are_read_and_set_in_2_0_1():
    async def conversation():
        async with a_network("2.0.1") as csms:
            interval = {
                "component": {"name": "SampledDataCtrlr"},
                "variable": {"name": "TxUpdatedInterval"},
            }
            colour = {"component": {"name": "A"}, "variable": {"name": "Colour"}}
            change = [{**interval, "attributeValue": "30"}]
            done = await csms.ask("CP-1", "SetVariables", {"setVariableData": change})
            asked = {"getVariableData": [interval, colour]}
            read = await csms.ask("CP-1", "GetVariables", asked)

            assert done["setVariableResult"][0]["attributeStatus"] == "Accepted"
            assert [each["attributeStatus"] for each in read["getVariableResult"]] == [
                "Accepted",
                "UnknownVariable",
            ]
            assert read["getVariableResult"][0]["attributeValue"] == "30"

    talk(conversation())


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_what_it_does_not_know_it_says_it_does_not(version):
    async def conversation():
        async with a_network(version) as csms:
            answer = await csms.ask("CP-1", "ClearChargingProfile", {})
            heartbeat = {"requestedMessage": "Heartbeat"}
            after = await csms.ask("CP-1", "TriggerMessage", heartbeat)

            assert answer[0] == "NotImplemented"
            assert after == {"status": "Accepted"}

    talk(conversation())


def test_a_reset_ends_transactions_and_boots_again():
    async def conversation():
        async with a_network("1.6") as csms:
            asked = {"connectorId": 1, "idTag": "A"}
            await csms.ask("CP-1", "RemoteStartTransaction", asked)
            await csms.hear("StartTransaction")
            await csms.ask("CP-1", "Reset", {"type": "Hard"})
            await csms.hear("BootNotification", 2)
            [stop] = await csms.hear("StopTransaction")

            assert stop["reason"] == "HardReset"

    talk(conversation())


def test_power_that_is_cut_ends_a_transaction_that_is_told_as_offline_later():
    async def conversation():
        async with a_network("2.0.1") as csms:
            token = {"idToken": "EV-7K3M9Q", "type": "Central"}
            asked = {"evseId": 1, "remoteStartId": 9, "idToken": token}
            await csms.ask("CP-1", "RequestStartTransaction", asked)
            await csms.hear("TransactionEvent", 2)
            csms.fleet.cut_power("CP")
            await csms.hear("BootNotification", 2)
            ended = await csms.hear_that(lambda _, x: x.get("eventType") == "Ended")

            assert ended["offline"]
            assert ended["transactionInfo"]["stoppedReason"] == "PowerLoss"

    talk(conversation())


def test_what_an_answer_got_lost_for_is_said_again():
    async def conversation():
        lossy = Trouble(400)  # Four in five answers are lost.
        async with a_network("1.6", speed=600, trouble=lossy, seed=1) as csms:
            asked = {"connectorId": 1, "idTag": "A"}
            while not csms.heard("StartTransaction"):
                if csms.fleet.line().startswith("1 of 1"):
                    await csms.ask("CP-1", "RemoteStartTransaction", asked)
                await asyncio.sleep(0.02)
            starts = await csms.hear("StartTransaction", 2)

            assert starts[0] == starts[1]

    talk(conversation())


def test_what_charged_before_the_start_is_told_as_it_was():
    async def conversation():
        began = Clock().now() - 1800
        start = AtStart("charging", 1, began, tag="EV-7K3M9Q")
        plugs = (Plug(1, "ccs2", 60_000),)
        evses = (EvseSpec(1, plugs, at_start=start), *EVSES[1:], EvseSpec(3, plugs))
        async with a_network("1.6", evses=evses, speed=1, meter_seconds=1) as csms:
            [told] = await csms.hear("StartTransaction")
            [read, *_] = await csms.hear("MeterValues")

            energy = read["meterValue"][0]["sampledValue"][0]
            unit = 1000 if energy["unit"] == "kWh" else 1
            assert seconds_of(told["timestamp"]) == pytest.approx(began, abs=1)
            assert float(energy["value"]) * unit > told["meterStart"] + 1_000

    talk(conversation())


def test_a_transaction_the_server_knows_goes_on_under_its_number():
    async def conversation():
        since = Clock().now() - 600
        start = AtStart(
            "charging", 1, since, tag="CARD1", number=77,
            meter_start_wh=1_000, meter_wh=5_000,
        )  # fmt: skip
        evses = (EvseSpec(1, EVSES[0].plugs, at_start=start), *EVSES[1:])
        async with a_network("1.6", evses=evses, speed=1, meter_seconds=1) as csms:
            [read, *_] = await csms.hear("MeterValues")

            assert read["transactionId"] == 77
            assert csms.heard("StartTransaction") == []

    talk(conversation())


def test_the_ledger_agrees_with_what_the_server_heard(tmp_path):
    async def conversation():
        book = tmp_path / "ledger.jsonl"
        async with a_network(
            "1.6", ledger=book, busy=0.9, speed=2000, stay_scale=0.2
        ) as csms:
            await csms.hear("StopTransaction", 5)
            await csms.fleet.end(is_settled=True)
            lines = [json.loads(line) for line in book.read_text().splitlines()]
            ended = {x["number"]: x for x in lines if x["what"] == "ended"}
            stops = csms.heard("StopTransaction")

            assert len(stops) == len(ended) >= 5
            for stop in stops:
                line = ended[stop["transactionId"]]
                told = stop["meterStop"] - line["meter_start_wh"]
                assert told == line["energy_wh"]

    talk(conversation())
