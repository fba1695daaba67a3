"""The schemas of OCPP as they are published, read by another library than ours."""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft4Validator, Draft6Validator, FormatChecker

FOLDERS = {"ocpp1.6": "v16", "ocpp2.0.1": "v201"}
RFC_3339 = re.compile(
    r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
)

formats = FormatChecker()


@formats.checks("date-time")
def is_date_time(value: object) -> bool:
    return not isinstance(value, str) or RFC_3339.fullmatch(value) is not None


def check_call(protocol: str, action: str, payload: Any) -> None:
    """Raises: jsonschema.ValidationError."""
    suffix = "" if protocol == "ocpp1.6" else "Request"
    _schema(f"{FOLDERS[protocol]}/schemas/{action}{suffix}.json").validate(payload)


def check_answer(protocol: str, action: str, payload: Any) -> None:
    """Raises: jsonschema.ValidationError."""
    _schema(f"{FOLDERS[protocol]}/schemas/{action}Response.json").validate(payload)


@cache
def _schema(name: str) -> Any:
    text = files("ocpp").joinpath(*name.split("/")).read_text(encoding="utf-8-sig")
    kind = Draft4Validator if name.startswith("v16") else Draft6Validator
    return kind(json.loads(text), format_checker=formats)
