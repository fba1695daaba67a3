"""The words of connections and commands. Plain Python: no database, no clock."""

import hashlib
import hmac
import secrets
import string
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from evcharge.kernel.errors import Conflict, InvalidInput, NotFound

# 20 characters of 62 are 119 bits. OCPP 1.6 security whitepaper edition 3, section 4
# (AuthorizationKey), asks for 16 to 20 bytes, OCPP 2.0.1 for 16 to 40 characters.
KEY_LENGTH = 20
KEY_ALPHABET = string.ascii_letters + string.digits
COMMAND_WAITS = timedelta(minutes=2)  # For its charger to be there.
ANSWER_WAITS = timedelta(seconds=30)  # For the charger to say something.
NO_ANSWER = "The charger did not answer."


class Protocol(StrEnum):
    """The subprotocols chargers may ask for, as they spell them."""

    OCPP16 = "ocpp1.6"
    OCPP201 = "ocpp2.0.1"


class CommandKind(StrEnum):
    """What chargers can be asked to do; each version has its own words for it."""

    START = "start"
    STOP = "stop"
    RESET = "reset"
    UNLOCK = "unlock"
    AVAILABILITY = "availability"
    TRIGGER = "trigger"
    GET_VARIABLES = "get_variables"
    SET_VARIABLE = "set_variable"
    RESERVE = "reserve"
    CANCEL_RESERVATION = "cancel_reservation"


class CommandState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    TIMED_OUT = "timed_out"


class Direction(StrEnum):
    """Seen from here: what a charger sent is IN."""

    IN = "in"
    OUT = "out"


class NoticeKind(StrEnum):
    """What chargers tell that nothing here acts on yet, but operators may read."""

    SECURITY = "security"
    FIRMWARE = "firmware"
    DIAGNOSTICS = "diagnostics"
    LOG = "log"
    REPORT = "report"
    DATA_TRANSFER = "data_transfer"
    OTHER = "other"


class CommandNotFound(NotFound):
    code = "command_not_found"
    message = "There is no such command."


class ChargerNotConnected(Conflict):
    code = "charger_not_connected"
    message = "The charger is not connected just now."


class BadCommand(InvalidInput):
    code = "bad_command"
    message = "The charger cannot be asked for that."


class ParkedNotFound(NotFound):
    code = "parked_charger_not_found"
    message = "No charger with this identity is waiting."


# Keys are written, never shown: whoever reads the console is not the charger.
_SECRETS = ("authorizationkey", "basicauthpassword")


def names_secret(text: str) -> bool:
    """Whether a setting of this name is a key; or whether a text mentions one."""
    folded = text.casefold()
    return any(word in folded for word in _SECRETS)


def new_key() -> str:
    return "".join(secrets.choice(KEY_ALPHABET) for _ in range(KEY_LENGTH))


@dataclass(frozen=True)
class KeyHash:
    """A charger's key as it is kept.

    One fast keyed hash: generated keys cannot be guessed, and a memory-hard hash for
    each connect would turn a power cut's end into an outage.
    """

    salt: str
    digest: str = field(repr=False)

    @classmethod
    def of(cls, key: bytes) -> "KeyHash":
        salt = secrets.token_hex(16)
        return cls(salt, _digest(key, salt))

    def fits(self, key: bytes) -> bool:
        return hmac.compare_digest(_digest(key, self.salt), self.digest)


def _digest(key: bytes, salt: str) -> str:
    return hashlib.blake2b(key, key=bytes.fromhex(salt), digest_size=32).hexdigest()


@dataclass(frozen=True)
class LoggedMessage:
    """A frame as it went over the wire. `at`: when we received or sent it."""

    charger_id: int
    at: datetime
    direction: Direction
    action: str
    body: str


@dataclass(frozen=True)
class Boot:
    """What a charger says of itself when it starts; empty where it says nothing."""

    vendor: str = ""
    model: str = ""
    serial_number: str = ""
    firmware_version: str = ""
