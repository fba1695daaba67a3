"""How chargers' answers to commands are read, in both versions."""

from collections.abc import Collection, Mapping

from evcharge.control.rules import CommandState, names_secret
from evcharge.gateway.actions import Answer, Payload, Read

Variables = Mapping[str, tuple[str | None, bool]]


def by_status(*accepted: str) -> Read:
    """Read an answer whose `status` decides; what else it says are its details."""

    def read(payload: Payload) -> Answer:
        details = {name: payload[name] for name in payload if name != "status"}
        return Answer(state_of(payload["status"], accepted), payload["status"], details)

    return read


def state_of(word: str, accepted: Collection[str]) -> CommandState:
    return CommandState.ACCEPTED if word in accepted else CommandState.REJECTED


def with_variables(variables: Variables, unknown: Collection[str]) -> Answer:
    """Return the answer to a question about settings. See `configuration.noted`."""
    details = {
        "variables": {
            name: {
                "value": None if names_secret(name) else value,
                "readonly": is_readonly,
            }
            for name, (value, is_readonly) in variables.items()
        },
        "unknown": list(unknown),
    }
    if unknown and not variables:
        return Answer(CommandState.REJECTED, "Unknown", details)
    return Answer(CommandState.ACCEPTED, "Accepted", details)
