"""Whether a message has the shape its protocol demands.

The schemas are those of the `ocpp` package. It can check messages by them itself, but
in Python, at about 1 ms a message; compiled they take some microseconds.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema_rs import Draft4Validator, ValidationError

from evcharge.control.rules import Protocol
from evcharge.gateway.errors import violation

_REQUEST = {Protocol.OCPP16: "v16/schemas/{}.json"}
_REQUEST[Protocol.OCPP201] = "v201/schemas/{}Request.json"
_RESPONSE = {Protocol.OCPP16: "v16/schemas/{}Response.json"}
_RESPONSE[Protocol.OCPP201] = "v201/schemas/{}Response.json"

# OCPP 2.0.1 part 2, section 2.1: an integer has 32 bits. OCPP 1.6 does not say.
_BIGGEST = 2**31 - 1


def is_known(protocol: Protocol, action: str) -> bool:
    """Does the protocol name such a message, whether we support it or not?"""
    return _REQUEST[protocol].format(action) in _names()


def check_request(protocol: Protocol, action: str, payload: Any) -> None:
    """Raises: CallFailed."""
    _check(_validator(_REQUEST[protocol].format(action)), protocol, payload)


def check_response(protocol: Protocol, action: str, payload: Any) -> None:
    """Raises: CallFailed."""
    _check(_validator(_RESPONSE[protocol].format(action)), protocol, payload)


def _check(validator: Draft4Validator, protocol: Protocol, payload: Any) -> None:
    try:
        validator.validate(payload)
    except ValidationError as error:
        where = "/".join(map(str, error.instance_path))
        told = f"{where}: {error.message}" if where else error.message
        raise violation(protocol, error.kind.name, told) from None


@cache
def _names() -> frozenset[str]:
    return frozenset(
        f"{version}/schemas/{file.name}"
        for version in ("v16", "v201")
        for file in (files("ocpp") / version / "schemas").iterdir()
    )


@cache
def _validator(name: str) -> Draft4Validator:
    # Those of OCPP 2.0.1 name draft 6, but use nothing that draft 4 lacks.
    schema = json.loads((files("ocpp") / name).read_text(encoding="utf-8-sig"))
    _bound_integers(schema)
    # Formats stay unchecked: some chargers leave the offset out of a date-time.
    return Draft4Validator(schema, validate_formats=False)


def _bound_integers(schema: Any) -> None:
    if isinstance(schema, dict):
        if schema.get("type") == "integer":
            schema.setdefault("maximum", _BIGGEST)
            schema.setdefault("minimum", -_BIGGEST - 1)
        for part in schema.values():
            _bound_integers(part)
    elif isinstance(schema, list):
        for part in schema:
            _bound_integers(part)
