"""Chargers that nobody knows yet, kept waiting until an operator takes them in.

They are told to wait (OCPP 1.6 edition 2, section 4.2; OCPP 2.0.1 part 2, B02) and may
do nothing else.
"""

from functools import partial
from typing import Any

from starlette.types import Message, Receive, Send

from evcharge.control.rules import Boot, Protocol
from evcharge.control.service import park
from evcharge.gateway.actions import Payload
from evcharge.gateway.commits import GroupCommit
from evcharge.gateway.errors import CallFailed, Code
from evcharge.gateway.pace import Flood, Pace
from evcharge.gateway.schemas import check_request
from evcharge.gateway.wire import BadFrame, Call, error_text, read_frame, result_text
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import DomainError
from evcharge.kernel.metrics import CHARGER_ERRORS

MOST_PARKED = 50
WAIT_SECONDS = 300
_BOOT = "BootNotification"


class Parked:
    """The socket of a charger that waits."""

    def __init__(
        self,
        *,
        identity: str,
        address: str,
        key: bytes,
        protocol: Protocol,
        commits: GroupCommit,
        send: Send,
    ) -> None:
        self.identity = identity
        self._protocol = protocol
        self._send = send
        self._commits = commits
        self._park = partial(
            park, identity=identity, protocol=protocol, address=address, key=key
        )

    async def wait(self, receive: Receive) -> None:
        """Listen until the socket closes, and ask for patience."""
        pace = Pace()
        await self._remember(None)
        try:
            while True:
                message = await pace.next_message(receive)
                if message["type"] == "websocket.disconnect":
                    return
                await self._hear(message)
        except Flood:
            CHARGER_ERRORS.labels("flood").inc()
            await self.close(1008, "Wait for answers before you send more.")

    async def close(self, code: int, reason: str) -> None:
        await self._send({"type": "websocket.close", "code": code, "reason": reason})

    async def _hear(self, message: Message) -> None:
        try:
            frame = read_frame(message.get("text") or "")
        except BadFrame as bad:
            CHARGER_ERRORS.labels(bad.oddity.value).inc()
            await self._say(bad.answer(self._protocol))
            return
        if isinstance(frame, Call):
            await self._say(await self._answered(frame))

    async def _answered(self, call: Call) -> str:
        try:
            if call.action != _BOOT:
                raise CallFailed(Code.SECURITY, "Wait until you are taken in.")
            check_request(self._protocol, _BOOT, call.payload)
            await self._remember(_BOOTS[self._protocol](call.payload))
        except CallFailed as failed:
            return error_text(call.id, failed, self._protocol)
        except DomainError as error:
            sorry = CallFailed(Code.INTERNAL, error.message)
            return error_text(call.id, sorry, self._protocol)
        pending = {
            "status": "Pending",
            "currentTime": utc_now().isoformat(timespec="seconds"),
            "interval": WAIT_SECONDS,
        }
        return result_text(call.id, pending)

    async def _remember(self, boot: Boot | None) -> None:
        await self._commits.add(single=partial(self._park, boot=boot, now=utc_now()))

    async def _say(self, text: str | None) -> None:
        if text is not None:
            await self._send({"type": "websocket.send", "text": text})


def _boot_16(payload: Payload) -> Boot:
    number = payload.get("chargePointSerialNumber")
    return Boot(
        vendor=payload["chargePointVendor"],
        model=payload["chargePointModel"],
        serial_number=number or payload.get("chargeBoxSerialNumber", ""),
        firmware_version=payload.get("firmwareVersion", ""),
    )


def _boot_201(payload: Payload) -> Boot:
    station: dict[str, Any] = payload["chargingStation"]
    return Boot(
        vendor=station["vendorName"],
        model=station["model"],
        serial_number=station.get("serialNumber", ""),
        firmware_version=station.get("firmwareVersion", ""),
    )


_BOOTS = {Protocol.OCPP16: _boot_16, Protocol.OCPP201: _boot_201}
