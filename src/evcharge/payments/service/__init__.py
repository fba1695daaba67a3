"""Everything that can happen to money. Callers open the transaction.

The lock of the payer's account comes before any change, here as in every action on
what somebody holds; compare-and-set stands behind it.
"""

from evcharge.payments.queries import lock_payer
from evcharge.payments.service.checkouts import open_checkout, start_payment
from evcharge.payments.service.dues import (
    ask_for_due,
    open_due,
    settle_due,
    waive_due,
)
from evcharge.payments.service.outcomes import (
    OnPaid,
    ToldWhenPaid,
    mark_asked,
    receive_message,
    record_outcome,
)
from evcharge.payments.service.refunds import (
    begin_sending_refund,
    fail_refund,
    mark_refunds_asked,
    record_refund_news,
    refund_item,
    retry_refund,
)

__all__ = [
    "OnPaid",
    "ToldWhenPaid",
    "ask_for_due",
    "begin_sending_refund",
    "fail_refund",
    "lock_payer",
    "mark_asked",
    "mark_refunds_asked",
    "open_checkout",
    "open_due",
    "receive_message",
    "record_outcome",
    "record_refund_news",
    "refund_item",
    "retry_refund",
    "settle_due",
    "start_payment",
    "waive_due",
]
