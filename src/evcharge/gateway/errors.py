"""Our refusals, and chargers' malformed messages, in the words of the protocols.

OCPP-J 1.6, section 4.2.3; OCPP 2.0.1 edition 3, part 4, section 4.3.
"""

from enum import StrEnum

from evcharge.control.rules import Protocol
from evcharge.kernel.errors import DomainError, InvalidInput, NotAllowed


class Code(StrEnum):
    """Error codes, as OCPP 2.0.1 spells them."""

    FORMAT = "FormatViolation"
    GENERIC = "GenericError"
    INTERNAL = "InternalError"
    MESSAGE_TYPE = "MessageTypeNotSupported"
    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    OCCURRENCE = "OccurrenceConstraintViolation"
    PROPERTY = "PropertyConstraintViolation"
    PROTOCOL = "ProtocolError"
    FRAMEWORK = "RpcFrameworkError"
    SECURITY = "SecurityError"
    TYPE = "TypeConstraintViolation"


# Two of these are misspelt in OCPP-J 1.6, for good; others it does not know.
_IN_16 = {
    Code.FORMAT: "FormationViolation",
    Code.OCCURRENCE: "OccurenceConstraintViolation",
    Code.FRAMEWORK: "ProtocolError",
    Code.MESSAGE_TYPE: "ProtocolError",
}

# The keyword of JSON Schema that a message fails, as what that means.
_VIOLATIONS = {
    "required": Code.OCCURRENCE,
    "minItems": Code.OCCURRENCE,
    "maxItems": Code.OCCURRENCE,
    "additionalProperties": Code.FORMAT,
    "type": Code.TYPE,
    "maxLength": Code.TYPE,
    "enum": Code.PROPERTY,
    "minimum": Code.PROPERTY,
    "maximum": Code.PROPERTY,
    "multipleOf": Code.PROPERTY,
}
# OCPP-J 1.6 calls a payload that lacks something incomplete.
_VIOLATIONS_16 = _VIOLATIONS | {"required": Code.PROTOCOL}

_REFUSALS: dict[type[DomainError], Code] = {
    InvalidInput: Code.PROPERTY,
    NotAllowed: Code.SECURITY,
}


class CallFailed(Exception):
    """A CALLERROR: why a message is not answered as it hoped to be."""

    def __init__(self, code: Code, description: str = "") -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description[:255]


def spelling(code: Code, protocol: Protocol | None) -> str:
    if protocol == Protocol.OCPP16:
        return _IN_16.get(code, code.value)
    return code.value


def violation(protocol: Protocol, keyword: str, message: str) -> CallFailed:
    known = _VIOLATIONS_16 if protocol == Protocol.OCPP16 else _VIOLATIONS
    return CallFailed(known.get(keyword, Code.FORMAT), message)


def refusal(error: DomainError) -> CallFailed:
    """Return our own refusal as a charger may read it.

    What is no fault of the charger's is an InternalError: it tries again later.
    """
    codes = (_REFUSALS[kind] for kind in type(error).__mro__ if kind in _REFUSALS)
    return CallFailed(next(codes, Code.INTERNAL), error.message)
