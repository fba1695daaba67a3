"""What a charger can be told to do otherwise, under the names of both versions."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Name(StrEnum):
    """What the simulator itself looks at; the value is the key of OCPP 1.6."""

    HEARTBEAT = "HeartbeatInterval"
    METER = "MeterValueSampleInterval"
    PLUG_IN_WITHIN = "ConnectionTimeOut"
    STOP_ON_INVALID = "StopTransactionOnInvalidId"
    KEY = "AuthorizationKey"


@dataclass(frozen=True)
class Variable:
    """`key` of OCPP 1.6, `path` (Component.Variable) of 2.0.1; None: not there."""

    key: str | None
    path: str | None
    value: str
    is_readonly: bool = False
    is_secret: bool = False

    @property
    def is_number(self) -> bool:
        return self.value.isdigit()


VARIABLES = (
    Variable(Name.HEARTBEAT, "OCPPCommCtrlr.HeartbeatInterval", "300"),
    Variable(Name.METER, "SampledDataCtrlr.TxUpdatedInterval", "60"),
    Variable(Name.PLUG_IN_WITHIN, "TxCtrlr.EVConnectionTimeOut", "60"),
    Variable(Name.STOP_ON_INVALID, "TxCtrlr.StopTxOnInvalidId", "true"),
    Variable(Name.KEY, "SecurityCtrlr.BasicAuthPassword", "", is_secret=True),
    Variable("AuthorizeRemoteTxRequests", "AuthCtrlr.AuthorizeRemoteStart", "false"),
    Variable("LocalAuthorizeOffline", "AuthCtrlr.LocalAuthorizeOffline", "true"),
    Variable("LocalPreAuthorize", "AuthCtrlr.LocalPreAuthorize", "false"),
    Variable("ClockAlignedDataInterval", "AlignedDataCtrlr.Interval", "0"),
    Variable(
        "MeterValuesSampledData",
        "SampledDataCtrlr.TxUpdatedMeasurands",
        "Energy.Active.Import.Register,Power.Active.Import,SoC",
    ),
    Variable("TransactionMessageAttempts", "OCPPCommCtrlr.MessageAttempts", "5"),
    Variable("ResetRetries", "OCPPCommCtrlr.ResetRetries", "1"),
    Variable("WebSocketPingInterval", "OCPPCommCtrlr.WebSocketPingInterval", "0"),
    Variable(
        "StopTransactionOnEVSideDisconnect", "TxCtrlr.StopTxOnEVSideDisconnect", "true"
    ),
    Variable("UnlockConnectorOnEVSideDisconnect", None, "true"),
    Variable("ConnectorPhaseRotation", None, "NotApplicable"),
    Variable("StopTxnSampledData", None, ""),
    Variable("MeterValuesAlignedData", None, ""),
    Variable("StopTxnAlignedData", None, ""),
    Variable("GetConfigurationMaxKeys", None, "50", is_readonly=True),
    Variable("SupportedFeatureProfiles", None, "Core,Reservation,RemoteTrigger", True),
    Variable(None, "ReservationCtrlr.Available", "true", is_readonly=True),
    Variable(None, "TxCtrlr.TxStartPoint", "PowerPathClosed", is_readonly=True),
    Variable(None, "ClockCtrlr.TimeSource", "Heartbeat", is_readonly=True),
)


class Change(StrEnum):
    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    UNKNOWN = "Unknown"


class Variables:
    """The settings of one charger, by the names of its version."""

    def __init__(self, *, is_201: bool, connectors: int) -> None:
        named = [(v.path if is_201 else v.key, v) for v in VARIABLES]
        self._known = {name: variable for name, variable in named if name}
        if not is_201:
            number = Variable("NumberOfConnectors", None, str(connectors), True)
            self._known["NumberOfConnectors"] = number
        self._alias = {v.key: name for name, v in self._known.items() if v.key}
        self._values: dict[str, str] = {}  # Only what differs: there may be thousands.

    def names(self) -> Iterable[str]:
        return self._known.keys()

    def read(self, name: str) -> tuple[str | None, bool] | None:
        """Return value and whether it is read-only; secrets have no value to show."""
        if (variable := self._known.get(name)) is None:
            return None
        value = None if variable.is_secret else self._values.get(name, variable.value)
        return value, variable.is_readonly

    def change(self, name: str, value: str) -> Change:
        if (variable := self._known.get(name)) is None:
            return Change.UNKNOWN
        is_bad = variable.is_number and not re.fullmatch("[0-9]{1,9}", value)
        if variable.is_readonly or is_bad:
            return Change.REJECTED
        self._values[name] = value
        return Change.ACCEPTED

    def put(self, name: Name, value: str) -> None:
        self._values[self._alias[name]] = value

    def text(self, name: Name) -> str:
        own = self._alias[name]
        return self._values.get(own, self._known[own].value)

    def seconds(self, name: Name) -> float:
        return float(self.text(name))

    def is_on(self, name: Name) -> bool:
        return self.text(name).casefold() == "true"
