"""Questions about money. Nothing here changes anything."""

from evcharge.payments.queries.checkouts import (
    checkout_of,
    is_paid,
    items_of,
    payable_checkout_or_none,
)
from evcharge.payments.queries.dues import (
    due_by_id,
    due_of_item,
    dues_list,
    dues_of_user,
    open_dues,
    overdue_dues,
    owed_paise,
)
from evcharge.payments.queries.payers import (
    lock_payer,
    lock_payers,
    payer_of,
    payers_of_item,
)
from evcharge.payments.queries.payments import (
    collected_paise,
    paid_for_item,
    payment_by_id,
    payment_by_ref,
    payment_of,
    payment_with_refunds,
    payments_list,
    payments_of_item,
    payments_to_ask_about,
)
from evcharge.payments.queries.refunds import (
    RefundablePart,
    refundable_parts,
    refunds_of_item,
    refunds_of_items,
    refunds_to_ask_about,
)

__all__ = [
    "RefundablePart",
    "checkout_of",
    "collected_paise",
    "due_by_id",
    "due_of_item",
    "dues_list",
    "dues_of_user",
    "is_paid",
    "items_of",
    "lock_payer",
    "lock_payers",
    "open_dues",
    "overdue_dues",
    "owed_paise",
    "paid_for_item",
    "payable_checkout_or_none",
    "payer_of",
    "payers_of_item",
    "payment_by_id",
    "payment_by_ref",
    "payment_of",
    "payment_with_refunds",
    "payments_list",
    "payments_of_item",
    "payments_to_ask_about",
    "refundable_parts",
    "refunds_of_item",
    "refunds_of_items",
    "refunds_to_ask_about",
]
