"""What is said on a charger's socket, message by message, strictly in order."""

import logging
from functools import cache
from typing import Any

from starlette.types import Receive

from evcharge.gateway.actions import Actions, Payload
from evcharge.gateway.commits import StaleConnection
from evcharge.gateway.complaints import Complaints
from evcharge.gateway.errors import CallFailed, Code, refusal, spelling
from evcharge.gateway.pace import Flood, Pace
from evcharge.gateway.schemas import check_request, check_response, is_known
from evcharge.gateway.socket import Connected
from evcharge.gateway.wire import (
    BadFrame,
    Call,
    Oddity,
    error_text,
    read_frame,
    result_text,
)
from evcharge.kernel.errors import DomainError, Unavailable
from evcharge.kernel.metrics import CHARGER_ERRORS, CHARGER_MESSAGES

log = logging.getLogger(__name__)

POLICY_VIOLATION = 1008
LONGEST_ODDITY_KEPT = 2_000  # Nobody needs all of what nobody can read.


async def converse(
    charger: Connected, receive: Receive, actions: Actions, complaints: Complaints
) -> None:
    """Listen and answer until the socket closes, from whichever side."""
    pace = Pace()
    try:
        while not charger.is_closed:
            message = await pace.next_message(receive)
            if message["type"] == "websocket.disconnect":
                return
            await hear(charger, message.get("text"), actions, complaints)
    except Flood:
        CHARGER_ERRORS.labels("flood").inc()
        complaints.about(charger.identity, "sends without waiting for answers")
        await charger.close(POLICY_VIOLATION, "Wait for answers before you send more.")


async def hear(
    charger: Connected, text: str | None, actions: Actions, complaints: Complaints
) -> None:
    try:
        if text is None:
            raise BadFrame(Oddity.BINARY)
        frame = read_frame(text)
        if not isinstance(frame, Call):
            if not charger.take_answer(frame, text):
                raise BadFrame(Oddity.UNEXPECTED, message_id=None)
            return
    except BadFrame as bad:
        await _complain(charger, bad, text or "", complaints)
        return
    charger.receive(frame.action, text)
    try:
        payload = await _acted(charger, frame, actions)
    except StaleConnection:
        return  # It says it again to the socket that it listens to.
    except CallFailed as failed:
        await _fail(charger, frame, failed, complaints)
    else:
        await charger.send(frame.action, result_text(frame.id, payload))


async def _acted(charger: Connected, call: Call, actions: Actions) -> Payload:
    """Return the answer to a message, which is stored then. Raises: CallFailed."""
    action = actions.get(call.action)
    if action is None:
        _count("unknown")
        is_word = is_known(charger.protocol, call.action)
        raise CallFailed(Code.NOT_SUPPORTED if is_word else Code.NOT_IMPLEMENTED)
    _count(call.action)
    check_request(charger.protocol, call.action, call.payload)
    try:
        payload = await action(charger, call.payload)
        await charger.save()
    except (CallFailed, StaleConnection):
        raise
    except DomainError as error:
        raise refusal(error) from error
    except Exception as error:
        log.exception("%s of charger %s failed", call.action, charger.identity)
        raise CallFailed(Code.INTERNAL, "Try again later.") from error
    _check_own_words(charger, call.action, payload)
    return payload


def _count(action: str) -> None:
    _counter(action).inc()


# Looking a counter up by its labels takes longer than reading a message.
_counter = cache(CHARGER_MESSAGES.labels)


async def _fail(
    charger: Connected, call: Call, failed: CallFailed, complaints: Complaints
) -> None:
    code = spelling(failed.code, charger.protocol)
    CHARGER_ERRORS.labels(code).inc()
    complaints.about(charger.identity, f"{call.action}: {code}", failed.description)
    try:
        await charger.save()
    except StaleConnection:
        return
    except Unavailable as error:
        log.debug("an error is answered before it is stored: %s", error)
    await charger.send(call.action, error_text(call.id, failed, charger.protocol))


async def _complain(
    charger: Connected, bad: BadFrame, text: str, complaints: Complaints
) -> None:
    CHARGER_ERRORS.labels(bad.oddity.value).inc()
    complaints.about(charger.identity, bad.oddity.value, text)
    charger.note("", text[:LONGEST_ODDITY_KEPT])
    answer = bad.answer(charger.protocol)
    if answer is not None:
        await charger.send("", answer)


def _check_own_words(charger: Connected, action: str, payload: Any) -> None:
    """An answer that breaks the protocol is a bug of ours, and better than none."""
    try:
        check_response(charger.protocol, action, payload)
    except CallFailed as failed:
        log.error("our answer to %s breaks the protocol: %s", action, failed)
