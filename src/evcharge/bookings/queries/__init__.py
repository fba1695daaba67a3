"""Questions about bookings. Nothing here changes anything."""

from evcharge.bookings.queries.attended import is_let_down, is_missed, is_over
from evcharge.bookings.queries.bookable import (
    BookableEvse,
    bookable_evse,
    bookable_evses,
    counted_bookings,
)
from evcharge.bookings.queries.stored import (
    When,
    active_bookings_on,
    booking_by_id,
    booking_counts,
    booking_of_user,
    bookings_of_user,
    bookings_where,
    is_unpaid_at_start,
    live_blocks_on,
)
from evcharge.bookings.queries.taken import (
    Claimed,
    claimed_by,
    claimed_now,
    claims_between,
    expired_holds,
    is_expired_hold,
    is_taken,
)

__all__ = [
    "BookableEvse",
    "Claimed",
    "When",
    "active_bookings_on",
    "bookable_evse",
    "bookable_evses",
    "booking_by_id",
    "booking_counts",
    "booking_of_user",
    "bookings_of_user",
    "bookings_where",
    "claimed_by",
    "claimed_now",
    "claims_between",
    "counted_bookings",
    "expired_holds",
    "is_expired_hold",
    "is_let_down",
    "is_missed",
    "is_over",
    "is_taken",
    "is_unpaid_at_start",
    "live_blocks_on",
]
