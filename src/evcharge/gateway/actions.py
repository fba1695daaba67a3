"""Which function answers which message of a charger: one table for each version."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evcharge.control.models import ChargerCommand
from evcharge.control.rules import CommandState

if TYPE_CHECKING:
    from evcharge.gateway.socket import Connected

Payload = dict[str, Any]  # A JSON object, spelt as on the wire.
Action = Callable[["Connected", Payload], Awaitable[Payload]]


class Actions(dict[str, Action]):
    """What a version's chargers may ask for. The key is the word on the wire."""

    def action(self, name: str) -> Callable[[Action], Action]:
        def register(function: Action) -> Action:
            self[name] = function
            return function

        return register


@dataclass(frozen=True)
class Answer:
    """What a charger made of a command. `word`: its own, such as "Accepted"."""

    state: CommandState
    word: str
    details: dict[str, Any] = field(default_factory=dict)


# What to call for a command, and with which payload; and how to read the answer.
Call = Callable[[ChargerCommand, "Connected"], tuple[str, Payload]]
Read = Callable[[Payload], Answer]
