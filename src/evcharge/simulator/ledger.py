"""What was charged, by the simulator's own account, to compare a server with."""

import json
from pathlib import Path
from typing import TextIO

from evcharge.simulator.clock import rfc3339
from evcharge.simulator.news import Transaction


class Ledger:
    """A line of JSON when a transaction starts and when it ends, written at once.

    So it is whole as far as it goes, however the program ended.
    """

    def __init__(self, path: Path | None) -> None:
        self._file: TextIO | None = path.open("a", encoding="utf-8") if path else None

    def started(self, identity: str, transaction: Transaction) -> None:
        self._write("started", identity, transaction)

    def ended(self, identity: str, transaction: Transaction) -> None:
        self._write("ended", identity, transaction)

    def still_open(self, identity: str, transaction: Transaction) -> None:
        """What charges on when the simulator ends."""
        self._write("open", identity, transaction)

    def close(self) -> None:
        if self._file:
            self._file.close()

    def _write(self, what: str, identity: str, transaction: Transaction) -> None:
        if self._file is None:
            return
        line = {
            "what": what,
            "id": transaction.ref,
            "number": transaction.number,
            "charger": identity,
            "evse": transaction.evse,
            "connector": transaction.plug,
            "tag": transaction.tag,
            "started_at": rfc3339(transaction.started_at),
            "meter_start_wh": transaction.meter_start_wh,
            "energy_wh": transaction.meter_wh - transaction.meter_start_wh,
        }
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
