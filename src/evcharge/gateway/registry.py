"""Which chargers have their socket in this process. Belongs to the event loop."""

from collections.abc import Iterator
from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcharge.control.models import ChargerConnection
from evcharge.gateway.socket import Connected
from evcharge.kernel.metrics import CHARGERS_CONNECTED

NORMAL = 1000
REPLACED = "A newer connection of this charger took over."


class Registry:
    def __init__(self) -> None:
        self.gateway = str(uuid4())  # This process, in the table of connections.
        self._chargers: dict[int, Connected] = {}

    def __len__(self) -> int:
        return len(self._chargers)

    def __iter__(self) -> Iterator[Connected]:
        return iter(list(self._chargers.values()))

    def find(self, charger_id: int) -> Connected | None:
        return self._chargers.get(charger_id)

    async def add(self, charger: Connected) -> None:
        """Take a new socket in; of two of one charger the older is closed."""
        other = self._chargers.get(charger.charger_id)
        if other is None:
            CHARGERS_CONNECTED.inc()
        elif other.generation > charger.generation:
            await charger.close(NORMAL, REPLACED)
            return
        self._chargers[charger.charger_id] = charger
        if other is not None:
            await other.close(NORMAL, REPLACED)

    def remove(self, charger: Connected) -> None:
        if self._chargers.get(charger.charger_id) is charger:
            del self._chargers[charger.charger_id]
            CHARGERS_CONNECTED.dec()

    async def close_older(self, newest: dict[int, int]) -> None:
        """Close the sockets of chargers that have connected again elsewhere."""
        for charger_id, generation in newest.items():
            charger = self._chargers.get(charger_id)
            if charger is not None and charger.generation < generation:
                await charger.close(NORMAL, REPLACED)


def opened_elsewhere(
    session: Session, *, gateway: str, since: datetime
) -> dict[int, int]:
    """Return the generations of what other gateways have taken in since then."""
    rows = session.execute(
        select(ChargerConnection.charger_id, ChargerConnection.generation).where(
            ChargerConnection.gateway != gateway, ChargerConnection.opened_at >= since
        )
    )
    return {row.charger_id: row.generation for row in rows}
