"""What a charger says and does in OCPP 2.0.1."""

from collections.abc import Callable, Iterator
from functools import partial

from evcharge.simulator.box import Box, Outgoing, Payload, Refusal
from evcharge.simulator.clock import seconds_of
from evcharge.simulator.news import (
    CardShown,
    Ended,
    Metered,
    News,
    Reading,
    Reason,
    ReservationExpired,
    Started,
    State,
    StatusChanged,
    Transaction,
)
from evcharge.simulator.station import Point
from evcharge.simulator.variables import Change

ACCEPTED, REJECTED, OCCUPIED = "Accepted", "Rejected", "Occupied"
CONNECTOR_STATUS = {
    State.AVAILABLE: "Available",
    State.RESERVED: "Reserved",
    State.UNAVAILABLE: "Unavailable",
    State.FAULTED: "Faulted",
}
CHARGING_STATE = {State.CHARGING: "Charging", State.SUSPENDED_EV: "SuspendedEV"}
# Why a transaction ended, as stoppedReason and as triggerReason.
ENDS = {
    Reason.LOCAL: ("Local", "StopAuthorized"),
    Reason.REMOTE: ("Remote", "RemoteStop"),
    Reason.EV_DISCONNECTED: ("EVDisconnected", "EVDeparted"),
    Reason.DEAUTHORIZED: ("DeAuthorized", "Deauthorized"),
    Reason.POWER_LOSS: ("PowerLoss", "AbnormalCondition"),
    Reason.UNLOCK: ("Other", "UnlockCommand"),
    Reason.SOFT_RESET: ("ImmediateReset", "ResetCommand"),
    Reason.HARD_RESET: ("ImmediateReset", "ResetCommand"),
    Reason.OTHER: ("Other", "AbnormalCondition"),
}
CARD = "ISO14443"


class Words201:
    protocol = "ocpp2.0.1"

    def __init__(self, box: Box) -> None:
        self._box = box
        self._told: dict[tuple[int, int], str] = {}
        self._token_types: dict[str, str] = {}  # Those that came from the server.
        self._events = 0
        self._tell: dict[type[News], Callable[..., Iterator[Outgoing]]] = {
            StatusChanged: self._status,
            CardShown: self._authorize,
            Started: self._started,
            Metered: self._metered,
            Ended: self._ended,
            ReservationExpired: self._expired,
        }
        self._commands: dict[str, Callable[[Payload, float], Payload]] = {
            "RequestStartTransaction": self._request_start,
            "RequestStopTransaction": self._request_stop,
            "Reset": self._reset,
            "UnlockConnector": self._unlock,
            "ChangeAvailability": self._change_availability,
            "TriggerMessage": self._trigger,
            "GetVariables": self._get_variables,
            "SetVariables": self._set_variables,
            "ReserveNow": self._reserve,
            "CancelReservation": self._cancel_reservation,
            "ClearCache": lambda _payload, _now: {"status": ACCEPTED},
            "DataTransfer": lambda _payload, _now: {"status": "UnknownVendorId"},
        }

    # What it says.

    def boot(self, reason: Reason | None) -> Payload:
        is_reset = reason in (Reason.SOFT_RESET, Reason.HARD_RESET)
        return {
            "reason": "RemoteReset" if is_reset else "PowerUp",
            "chargingStation": {
                "vendorName": self._box.vendor[:50],
                "model": self._box.model[:20],
                "serialNumber": self._box.identity[:25],
                "firmwareVersion": self._box.firmware,
            },
        }

    def statuses(self, now: float) -> Iterator[Outgoing]:
        """Say how everything is, whatever was said before."""
        self._told.clear()
        self._box.tell_statuses(now)
        yield from ()

    def outgoing(self, news: News, *, is_offline: bool) -> Iterator[Outgoing]:
        for each in self._tell[type(news)](news):
            if is_offline and each.action == "TransactionEvent":
                yield _marked_offline(each)
            else:
                yield each

    def _status(self, news: StatusChanged) -> Iterator[Outgoing]:
        status = CONNECTOR_STATUS.get(news.state, OCCUPIED)
        if self._told.get((news.evse, news.plug)) == status:
            return
        self._told[news.evse, news.plug] = status
        payload = {
            "timestamp": self._box.stamp(news.at),
            "connectorStatus": status,
            "evseId": news.evse,
            "connectorId": news.plug,
        }
        yield Outgoing("StatusNotification", lambda: payload)
        if news.fault:
            yield self._problem(news)

    def _problem(self, news: StatusChanged) -> Outgoing:
        """A status has no room for what is wrong in this version; an event has."""
        self._events += 1
        fault = news.fault
        event = {
            "eventId": self._events,
            "timestamp": self._box.stamp(news.at),
            "trigger": "Alerting",
            "actualValue": "true",
            "techCode": fault.vendor_error if fault else "",
            "techInfo": fault.info if fault else "",
            "eventNotificationType": "HardWiredNotification",
            "component": {
                "name": "Connector",
                "evse": {"id": news.evse, "connectorId": news.plug},
            },
            "variable": {"name": "Problem"},
        }
        payload = {
            "generatedAt": self._box.stamp(news.at),
            "seqNo": 0,
            "eventData": [event],
        }
        return Outgoing("NotifyEvent", lambda: payload)

    def _authorize(self, news: CardShown) -> Iterator[Outgoing]:
        def then(answer: Payload, now: float) -> None:
            self._box.authorised(news.evse, _token_status(answer), now)

        payload = {"idToken": self._token(news.tag)}
        yield Outgoing("Authorize", lambda: payload, then)

    def _started(self, news: Started) -> Iterator[Outgoing]:
        transaction = news.transaction
        is_remote = transaction.remote_start_id is not None
        payload = self._event("Started", transaction, news.reading, "EVConnected")
        payload["triggerReason"] = "RemoteStart" if is_remote else "Authorized"
        payload["idToken"] = self._token(transaction.tag or "")
        if is_remote:
            info = payload["transactionInfo"]
            info["remoteStartId"] = transaction.remote_start_id
        if transaction.reservation is not None:
            payload["reservationId"] = transaction.reservation
        then = partial(self._start_answered, transaction)
        yield Outgoing("TransactionEvent", lambda: payload, then, is_kept=True)

    def _start_answered(
        self, transaction: Transaction, answer: Payload, now: float
    ) -> None:
        self._box.deauthorise(transaction, _token_status(answer), now)

    def _metered(self, news: Metered) -> Iterator[Outgoing]:
        state = CHARGING_STATE.get(news.state, "EVConnected")
        payload = self._event("Updated", news.transaction, news.reading, state)
        payload["triggerReason"] = (
            "ChargingStateChanged" if news.is_change else "MeterValuePeriodic"
        )
        yield Outgoing("TransactionEvent", lambda: payload, is_kept=True)

    def _ended(self, news: Ended) -> Iterator[Outgoing]:
        stopped, trigger = ENDS[news.reason]
        payload = self._event("Ended", news.transaction, news.reading, "EVConnected")
        payload["triggerReason"] = trigger
        payload["transactionInfo"]["stoppedReason"] = stopped
        if news.tag:
            payload["idToken"] = self._token(news.tag)
        yield Outgoing("TransactionEvent", lambda: payload, is_kept=True)

    def _expired(self, news: ReservationExpired) -> Iterator[Outgoing]:
        payload = {
            "reservationId": news.number,
            "reservationUpdateStatus": "Expired",
        }
        yield Outgoing("ReservationStatusUpdate", lambda: payload, is_kept=True)

    def _event(
        self, kind: str, transaction: Transaction, reading: Reading, state: str
    ) -> Payload:
        info = {"transactionId": transaction.ref, "chargingState": state}
        return {
            "eventType": kind,
            "timestamp": self._box.stamp(reading.at),
            "seqNo": transaction.next_seq(),
            "offline": False,
            "transactionInfo": info,
            "evse": {"id": transaction.evse, "connectorId": transaction.plug},
            "meterValue": [self._meter_value(kind, reading)],
        }

    def _meter_value(self, kind: str, reading: Reading) -> Payload:
        context = {
            "Started": "Transaction.Begin",
            "Ended": "Transaction.End",
        }.get(kind, "Sample.Periodic")
        sampled = [
            {
                "value": reading.energy_wh,
                "context": context,
                "measurand": "Energy.Active.Import.Register",
                "unitOfMeasure": {"unit": "Wh"},
            },
            {
                "value": reading.power_w / 1000,
                "context": context,
                "measurand": "Power.Active.Import",
                "unitOfMeasure": {"unit": "W", "multiplier": 3},
            },
        ]
        if reading.soc_percent is not None:
            soc = {"value": reading.soc_percent, "context": context}
            sampled.append(soc | {"measurand": "SoC"})
        return {"timestamp": self._box.stamp(reading.at), "sampledValue": sampled}

    def _token(self, tag: str) -> Payload:
        return {"idToken": tag, "type": self._token_types.get(tag, CARD)}

    def _learn(self, token: Payload) -> str:
        tag: str = token["idToken"]
        self._token_types[tag] = token["type"]
        return tag

    # What it is asked to do.

    def answer(self, action: str, payload: Payload, now: float) -> Payload:
        """Do it and return the answer. Raises: Refusal."""
        if (command := self._commands.get(action)) is None:
            raise Refusal("NotImplemented")
        return command(payload, now)

    def _request_start(self, payload: Payload, now: float) -> Payload:
        tag, remote_start_id = self._learn(payload["idToken"]), payload["remoteStartId"]
        points = self._points(payload.get("evseId"))
        return _accepted(any(p.remote_start(tag, remote_start_id, now) for p in points))

    def _request_stop(self, payload: Payload, now: float) -> Payload:
        for point in self._box.points:
            if point.transaction and point.transaction.ref == payload["transactionId"]:
                return _accepted(point.stop(now, Reason.REMOTE))
        return _accepted(False)

    def _reset(self, payload: Payload, _now: float) -> Payload:
        if payload["type"] == "OnIdle" and not self._box.is_idle:
            self._box.is_reset_when_idle = True
            return {"status": "Scheduled"}
        self._box.reset = Reason.HARD_RESET
        return _accepted(True)

    def _unlock(self, payload: Payload, now: float) -> Payload:
        point = self._box.point(payload["evseId"])
        number = payload["connectorId"]
        if point is None or all(number != plug.number for plug in point.plugs):
            return {"status": "UnknownConnector"}
        if point.transaction and point.transaction.plug == number:
            return {"status": "OngoingAuthorizedTransaction"}
        return {"status": "Unlocked"}

    def _change_availability(self, payload: Payload, now: float) -> Payload:
        points = self._points(payload.get("evse", {}).get("id"))
        if not points:
            return _accepted(False)
        is_operative = payload["operationalStatus"] == "Operative"
        done = [point.set_operative(is_operative, now) for point in points]
        return {"status": ACCEPTED if all(done) else "Scheduled"}

    def _trigger(self, payload: Payload, now: float) -> Payload:
        points = self._points(payload.get("evse", {}).get("id"))
        send = self._box.to_send
        match payload["requestedMessage"]:
            case "BootNotification":
                boot = self.boot(None) | {"reason": "Triggered"}
                send.append(Outgoing("BootNotification", lambda: boot))
            case "Heartbeat":
                send.append(Outgoing("Heartbeat", dict))
            case "StatusNotification":
                self._told.clear()
                for point in points:
                    point.tell_statuses(now)
            case "MeterValues" | "TransactionEvent":
                for point in points:
                    point.meter_now(now)
            case _:
                return {"status": "NotImplemented"}
        return _accepted(bool(points))

    def _get_variables(self, payload: Payload, _now: float) -> Payload:
        results = [self._got(each) for each in payload["getVariableData"]]
        return {"getVariableResult": results}

    def _got(self, wanted: Payload) -> Payload:
        found = self._box.variables.read(_path(wanted))
        answer = {"component": wanted["component"], "variable": wanted["variable"]}
        if wanted.get("attributeType", "Actual") != "Actual":
            return answer | {"attributeStatus": "NotSupportedAttributeType"}
        if found is None:
            return answer | {"attributeStatus": "UnknownVariable"}
        value, _is_readonly = found
        if value is None:
            return answer | {"attributeStatus": REJECTED}
        return answer | {"attributeStatus": ACCEPTED, "attributeValue": value}

    def _set_variables(self, payload: Payload, _now: float) -> Payload:
        results = [self._set(each) for each in payload["setVariableData"]]
        return {"setVariableResult": results}

    def _set(self, wanted: Payload) -> Payload:
        change = self._box.variables.change(_path(wanted), wanted["attributeValue"])
        status = "UnknownVariable" if change == Change.UNKNOWN else change
        return {
            "component": wanted["component"],
            "variable": wanted["variable"],
            "attributeStatus": status,
        }

    def _reserve(self, payload: Payload, now: float) -> Payload:
        try:
            expires_at = seconds_of(payload["expiryDateTime"])
        except ValueError:
            return {"status": REJECTED}
        tag, answer = self._learn(payload["idToken"]), REJECTED
        for point in self._points(payload.get("evseId")):
            state = point.reserve(payload["id"], tag, expires_at, now, None)
            if state is None:
                return {"status": ACCEPTED}
            is_out = state in (State.FAULTED, State.UNAVAILABLE)
            answer = CONNECTOR_STATUS[state] if is_out else OCCUPIED
        return {"status": answer}

    def _cancel_reservation(self, payload: Payload, now: float) -> Payload:
        number = payload["reservationId"]
        points = self._box.points
        return _accepted(any(p.cancel_reservation(number, now) for p in points))

    def _points(self, evse: int | None) -> list[Point]:
        """Return that EVSE; None stands for the whole charger."""
        if not evse:
            return list(self._box.points)
        found = self._box.point(evse)
        return [found] if found else []


def _marked_offline(event: Outgoing) -> Outgoing:
    payload = event.payload() | {"offline": True}
    return Outgoing(event.action, lambda: payload, event.then, event.is_kept)


def _path(wanted: Payload) -> str:
    return f"{wanted['component']['name']}.{wanted['variable']['name']}"


def _accepted(is_accepted: bool) -> Payload:
    return {"status": ACCEPTED if is_accepted else REJECTED}


def _token_status(answer: Payload) -> str:
    status: str = answer.get("idTokenInfo", {}).get("status", ACCEPTED)
    return status
