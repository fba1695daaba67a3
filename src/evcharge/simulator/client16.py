"""What a charger says and does in OCPP 1.6."""

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
from evcharge.simulator.visits import Plug

ACCEPTED, REJECTED = "Accepted", "Rejected"
NO_NUMBER = -1  # Of a transaction whose start was never answered (errata 4.0, 3.18).
AGAINST_RESERVING = {
    State.FAULTED: "Faulted",
    State.UNAVAILABLE: "Unavailable",
}


class Words16:
    protocol = "ocpp1.6"

    def __init__(self, box: Box) -> None:
        self._box = box
        self._ids = {
            (point.number, plug.number): number
            for number, (point, plug) in enumerate(box.plugs, start=1)
        }
        self._says_kwh = box.rng.random() < 0.3
        self._says_phases = box.rng.random() < 0.2
        self._tell: dict[type[News], Callable[..., Iterator[Outgoing]]] = {
            StatusChanged: self._status,
            CardShown: self._authorize,
            Started: self._started,
            Metered: self._metered,
            Ended: self._ended,
            ReservationExpired: self._nothing,
        }
        self._commands: dict[str, Callable[[Payload, float], Payload]] = {
            "RemoteStartTransaction": self._remote_start,
            "RemoteStopTransaction": self._remote_stop,
            "Reset": self._reset,
            "UnlockConnector": self._unlock,
            "ChangeAvailability": self._change_availability,
            "TriggerMessage": self._trigger,
            "GetConfiguration": self._get_configuration,
            "ChangeConfiguration": self._change_configuration,
            "ReserveNow": self._reserve,
            "CancelReservation": self._cancel_reservation,
            "ClearCache": lambda _payload, _now: {"status": ACCEPTED},
            "DataTransfer": lambda _payload, _now: {"status": "UnknownVendorId"},
        }

    # What it says.

    def boot(self, _reason: Reason | None) -> Payload:
        return {
            "chargePointVendor": self._box.vendor[:20],
            "chargePointModel": self._box.model[:20],
            "chargePointSerialNumber": self._box.identity[:25],
            "firmwareVersion": self._box.firmware,
        }

    def statuses(self, now: float) -> Iterator[Outgoing]:
        """Say how everything is: the charger itself (connector 0) comes first."""
        main = {
            "connectorId": 0,
            "errorCode": "NoError",
            "status": "Available",
            "timestamp": self._box.stamp(now),
        }
        yield Outgoing("StatusNotification", lambda: main)
        self._box.tell_statuses(now)

    def outgoing(self, news: News, *, is_offline: bool) -> Iterator[Outgoing]:
        """Return what to tell of `news`; times show what was offline, nothing else."""
        del is_offline
        return self._tell[type(news)](news)

    def _status(self, news: StatusChanged) -> Iterator[Outgoing]:
        payload = {
            "connectorId": self._ids[news.evse, news.plug],
            "errorCode": news.fault.error if news.fault else "NoError",
            "status": news.state,
            "timestamp": self._box.stamp(news.at),
        }
        if news.fault:
            payload |= {
                "info": news.fault.info,
                "vendorId": self._box.vendor,
                "vendorErrorCode": news.fault.vendor_error,
            }
        yield Outgoing("StatusNotification", lambda: payload)

    def _authorize(self, news: CardShown) -> Iterator[Outgoing]:
        def then(answer: Payload, now: float) -> None:
            self._box.authorised(news.evse, _tag_status(answer), now)

        yield Outgoing("Authorize", lambda: {"idTag": news.tag}, then)

    def _started(self, news: Started) -> Iterator[Outgoing]:
        payload = {
            "connectorId": self._id_of(news.transaction),
            "idTag": news.transaction.tag or "",
            "meterStart": news.transaction.meter_start_wh,
            "timestamp": self._box.stamp(news.transaction.started_at),
        }
        if news.transaction.reservation is not None:
            payload["reservationId"] = news.transaction.reservation
        then = partial(self._start_answered, news.transaction)
        yield Outgoing("StartTransaction", lambda: payload, then, is_kept=True)

    def _start_answered(
        self, transaction: Transaction, answer: Payload, now: float
    ) -> None:
        transaction.number = answer["transactionId"]
        self._box.deauthorise(transaction, _tag_status(answer), now)

    def _metered(self, news: Metered) -> Iterator[Outgoing]:
        if news.is_change:  # The status says so.
            return
        transaction, values = news.transaction, [self._meter_value(news.reading)]
        yield Outgoing(
            "MeterValues",
            lambda: {
                "connectorId": self._id_of(transaction),
                "transactionId": self._number(transaction),
                "meterValue": values,
            },
            is_kept=True,
        )

    def _ended(self, news: Ended) -> Iterator[Outgoing]:
        payload = {
            "meterStop": news.reading.energy_wh,
            "timestamp": self._box.stamp(news.reading.at),
            "reason": news.reason,
        }
        if news.tag:
            payload["idTag"] = news.tag
        yield Outgoing(
            "StopTransaction",
            lambda: payload | {"transactionId": self._number(news.transaction)},
            is_kept=True,
        )

    def _nothing(self, _news: News) -> Iterator[Outgoing]:
        """OCPP 1.6 has no message for it: the status says it."""
        yield from ()

    def _meter_value(self, reading: Reading) -> Payload:
        energy = {"measurand": "Energy.Active.Import.Register"}
        if self._says_kwh:
            energy |= {"value": f"{reading.energy_wh / 1000:.3f}", "unit": "kWh"}
        else:
            energy |= {"value": str(reading.energy_wh), "unit": "Wh"}
        sampled = [energy, *self._power(reading.power_w)]
        if reading.soc_percent is not None:
            soc = {"measurand": "SoC", "value": str(reading.soc_percent)}
            sampled.append(soc | {"unit": "Percent"})
        return {"timestamp": self._box.stamp(reading.at), "sampledValue": sampled}

    def _power(self, power_w: int) -> list[dict[str, str]]:
        power = {"measurand": "Power.Active.Import", "unit": "W"}
        if not self._says_phases:
            return [power | {"value": str(power_w)}]
        share = f"{power_w / 3:.1f}"
        return [
            power | {"value": share, "phase": phase} for phase in ("L1", "L2", "L3")
        ]

    def _number(self, transaction: Transaction) -> int:
        return NO_NUMBER if transaction.number is None else transaction.number

    def _id_of(self, transaction: Transaction) -> int:
        return self._ids[transaction.evse, transaction.plug]

    # What it is asked to do.

    def answer(self, action: str, payload: Payload, now: float) -> Payload:
        """Do it and return the answer. Raises: Refusal."""
        if (command := self._commands.get(action)) is None:
            raise Refusal("NotImplemented")
        return command(payload, now)

    def _remote_start(self, payload: Payload, now: float) -> Payload:
        tag = payload["idTag"]
        is_accepted = any(
            point.remote_start(tag, None, now)
            for point in self._points(payload.get("connectorId", 0))
        )
        return _accepted(is_accepted)

    def _remote_stop(self, payload: Payload, now: float) -> Payload:
        number = payload["transactionId"]
        for point in self._box.points:
            if point.transaction and point.transaction.number == number:
                return _accepted(point.stop(now, Reason.REMOTE))
        return _accepted(False)

    def _reset(self, payload: Payload, _now: float) -> Payload:
        is_hard = payload["type"] == "Hard"
        self._box.reset = Reason.HARD_RESET if is_hard else Reason.SOFT_RESET
        return _accepted(True)

    def _unlock(self, payload: Payload, now: float) -> Payload:
        found = self._plug(payload["connectorId"])
        if found is None:
            return {"status": "NotSupported"}
        point, plug = found
        if point.transaction and point.transaction.plug == plug.number:
            point.stop(now, Reason.UNLOCK)
        return {"status": "Unlocked"}

    def _change_availability(self, payload: Payload, now: float) -> Payload:
        points = self._points(payload["connectorId"])
        if not points:
            return _accepted(False)
        is_operative = payload["type"] == "Operative"
        done = [point.set_operative(is_operative, now) for point in points]
        return {"status": ACCEPTED if all(done) else "Scheduled"}

    def _trigger(self, payload: Payload, now: float) -> Payload:
        points = self._points(payload.get("connectorId", 0))
        send = self._box.to_send
        match payload["requestedMessage"]:
            case "BootNotification":
                send.append(Outgoing("BootNotification", lambda: self.boot(None)))
            case "Heartbeat":
                send.append(Outgoing("Heartbeat", dict))
            case "StatusNotification":
                for point in points:
                    point.tell_statuses(now)
            case "MeterValues":
                for point in points:
                    point.meter_now(now)
            case _:
                return {"status": "NotImplemented"}
        return _accepted(bool(points))

    def _get_configuration(self, payload: Payload, _now: float) -> Payload:
        names = payload.get("key") or list(self._box.variables.names())
        known, unknown = [], []
        for name in names:
            if (found := self._box.variables.read(name)) is None:
                unknown.append(name)
                continue
            value, is_readonly = found
            entry = {"key": name, "readonly": is_readonly}
            known.append(entry if value is None else entry | {"value": value})
        return {"configurationKey": known, "unknownKey": unknown}

    def _change_configuration(self, payload: Payload, _now: float) -> Payload:
        change = self._box.variables.change(payload["key"], payload["value"])
        return {"status": "NotSupported" if change == Change.UNKNOWN else change}

    def _reserve(self, payload: Payload, now: float) -> Payload:
        try:
            expires_at = seconds_of(payload["expiryDate"])
        except ValueError:
            return {"status": REJECTED}
        number, tag = payload["reservationId"], payload["idTag"]
        connector_id = payload["connectorId"]
        found = self._plug(connector_id)
        plug = found[1].number if found else None
        answer = REJECTED
        for point in self._points(connector_id):
            state = point.reserve(number, tag, expires_at, now, plug)
            if state is None:
                return {"status": ACCEPTED}
            answer = AGAINST_RESERVING.get(state, "Occupied")
        return {"status": answer}

    def _cancel_reservation(self, payload: Payload, now: float) -> Payload:
        number = payload["reservationId"]
        points = self._box.points
        return _accepted(any(p.cancel_reservation(number, now) for p in points))

    def _plug(self, connector_id: int) -> tuple[Point, Plug] | None:
        plugs = self._box.plugs
        return plugs[connector_id - 1] if 0 < connector_id <= len(plugs) else None

    def _points(self, connector_id: int) -> list[Point]:
        """Return the point of that connector; 0 stands for the whole charger."""
        if connector_id == 0:
            return list(self._box.points)
        found = self._plug(connector_id)
        return [found[0]] if found else []


def _accepted(is_accepted: bool) -> Payload:
    return {"status": ACCEPTED if is_accepted else REJECTED}


def _tag_status(answer: Payload) -> str:
    status: str = answer.get("idTagInfo", {}).get("status", ACCEPTED)
    return status
