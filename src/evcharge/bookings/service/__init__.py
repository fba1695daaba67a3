"""Everything that can happen to a booking. Callers open the transaction.

A refusal must leave that transaction, so that it rolls back.
"""

from evcharge.bookings.service.alter import (
    cancel_booking,
    mark_no_show,
    move_booking,
    refund_if_cancelled,
)
from evcharge.bookings.service.book import book_slot, book_slots
from evcharge.bookings.service.close import (
    block_evse,
    close_evses,
    close_location,
    lift_block,
)
from evcharge.bookings.service.pay import confirm_paid, open_checkout
from evcharge.bookings.service.reassign import reassign_booking
from evcharge.bookings.service.sweep import (
    cancel_unpaid,
    complete_bookings,
    expire_holds,
    finish_blocks,
    mark_missed,
    return_let_down,
)
from evcharge.bookings.service.used import complete_by_session, note_session

__all__ = [
    "block_evse",
    "book_slot",
    "book_slots",
    "cancel_booking",
    "cancel_unpaid",
    "close_evses",
    "close_location",
    "complete_bookings",
    "complete_by_session",
    "confirm_paid",
    "expire_holds",
    "finish_blocks",
    "lift_block",
    "mark_missed",
    "mark_no_show",
    "move_booking",
    "note_session",
    "open_checkout",
    "reassign_booking",
    "refund_if_cancelled",
    "return_let_down",
]
