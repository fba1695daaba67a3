"""Everything that can happen to a charging session. Callers open the transaction."""

from evcharge.charging.service.asking import (
    ask_to_start,
    ask_to_stop,
    ask_to_unlock,
    on_answered,
)
from evcharge.charging.service.events import record_event
from evcharge.charging.service.metering import record_metered
from evcharge.charging.service.prepaid import (
    ask_to_prepay,
    confirm_prepaid,
    open_prepaid,
)
from evcharge.charging.service.reservations import reservation_ended
from evcharge.charging.service.stops import stop_transaction
from evcharge.charging.service.tags import authorize
from evcharge.charging.service.transactions import start_transaction

__all__ = [
    "ask_to_prepay",
    "ask_to_start",
    "ask_to_stop",
    "ask_to_unlock",
    "authorize",
    "confirm_prepaid",
    "on_answered",
    "open_prepaid",
    "record_event",
    "record_metered",
    "reservation_ended",
    "start_transaction",
    "stop_transaction",
]
