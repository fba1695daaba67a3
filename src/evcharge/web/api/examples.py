"""A call of each operation that fits its schema, for a shell."""

import json
from typing import Any
from urllib.parse import quote

from evcharge.web.api.wording import Schema, ref_name

# Where a schema alone says too little: what stands in the examples.
EXAMPLES: dict[str, Any] = {
    "email": "driver@example.com",
    "password": "charge-demo-1",
    "free_to": "2026-11-24T13:30:00Z",
    "ends_at": "2026-11-24T13:30:00Z",
    "name": "MG Road",
    "address": "12 MG Road",
    "city": "Bengaluru",
    "state": "Karnataka",
    "pincode": "560001",
    "lat": 12.9756,
    "lon": 77.6066,
    "identity": "CP-1",
    "reason": "The cable is worn",
    "power_w": 60_000,
    "booking_price_paise": 12_000,
    "Idempotency-Key": "0198f5a2-4c1e-7d3a-9b60-2f1c7e5d8a44",
    "If-Match": '"3"',
}
BY_TYPE: dict[str, Any] = {"boolean": True, "integer": 1, "number": 1, "string": "…"}
A_UUID = "0198f5a2-4c1e-7d3a-9b60-2f1c7e5d8a45"
# What an operation can do without, and is better shown with.
WELL_SHOWN = {"near", "Idempotency-Key"}


def curl(method: str, path: str, operation: Schema, schemas: Schema) -> str:
    sent = {
        where: {
            each["name"]: example_of(each["name"], each["schema"], schemas)
            for each in operation["parameters"]
            if each["in"] == where and (each["required"] or each["name"] in WELL_SHOWN)
        }
        for where in ("path", "query", "header")
    }
    address = "$API" + path.format_map(sent["path"])
    if sent["query"]:
        pairs = (f"{name}={_text(value)}" for name, value in sent["query"].items())
        address += "?" + "&".join(pairs)
    command = "curl" if method == "GET" else f"curl -X {method}"
    lines = [f'{command} "{address}"']
    if operation["security"]:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    lines += [f"-H '{name}: {value}'" for name, value in sent["header"].items()]
    if "requestBody" in operation:
        lines.append("-H 'Content-Type: application/json'")
        lines.append(f"-d '{json.dumps(example_body(operation, schemas))}'")
    return " \\\n  ".join(lines)


def example_body(operation: Schema, schemas: Schema) -> Any:
    content = operation["requestBody"]["content"]
    return example_of("", content["application/json"]["schema"], schemas)


def example_of(name: str, schema: Schema, schemas: Schema) -> Any:
    if name in EXAMPLES:
        return EXAMPLES[name]
    if "anyOf" in schema:
        return example_of(name, schema["anyOf"][0], schemas)
    if "$ref" in schema:
        return example_of(name, schemas[ref_name(schema)], schemas)
    if found := schema.get("examples") or schema.get("enum"):
        return found[0]
    for known in ("const", "default", "minimum"):
        if schema.get(known):
            return schema[known]
    return _by_type(schema, schemas)


def _by_type(schema: Schema, schemas: Schema) -> Any:
    if schema["type"] == "array":
        return [example_of("", schema["items"], schemas)]
    if schema["type"] == "object":
        return _object(schema, schemas)
    return A_UUID if schema.get("format") == "uuid" else BY_TYPE[schema["type"]]


def _object(schema: Schema, schemas: Schema) -> dict[str, Any]:
    """What is needed; where nothing is, the last of the rest."""
    properties = schema.get("properties", {})
    wanted = schema.get("required") or list(properties)[-1:]
    return {name: example_of(name, properties[name], schemas) for name in wanted}


def _text(value: Any) -> str:
    return quote(str(value), safe=",:")
