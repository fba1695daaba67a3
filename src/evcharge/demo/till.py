"""What paying for a demo booking leaves behind, here and at the simulated gateway."""

from datetime import datetime, timedelta
from uuid import UUID

from evcharge.demo.rows import Names, Row, Rows
from evcharge.payments.rules import (
    ItemKind,
    PaymentStatus,
    RefundStatus,
    ref_of,
    status_after_refunds,
)

SECOND = timedelta(seconds=1)


class Till:
    def __init__(self, rows: Rows, names: Names) -> None:
        self._rows = rows
        self._names = names

    def open_checkout(self, booking: Row, at: datetime) -> Row:
        checkout = {
            "id": self._names.new_id(at),
            "user_id": booking["user_id"],
            "amount_paise": booking["amount_paise"],
            "description": f"Booking {booking['reference']}",
            "return_path": f"/bookings/{booking['id']}",
            "expires_at": booking["hold_expires_at"],
            "created_at": at,
        }
        self._rows.checkouts.append(checkout)
        self._rows.checkout_items.append(
            {
                "checkout_id": checkout["id"],
                "kind": ItemKind.BOOKING,
                "item_id": booking["id"],
                "amount_paise": booking["amount_paise"],
            }
        )
        return checkout

    def attempt(
        self,
        checkout: Row,
        *,
        at: datetime,
        status: PaymentStatus,
        paid_at: datetime | None = None,
        method: str | None = None,
        failure: str | None = None,
    ) -> Row:
        payment_id = self._names.new_id(at)
        both = {
            "status": status,
            "amount_paise": checkout["amount_paise"],
            "method": method,
            "failure": failure,
            "created_at": at,
        }
        payment = both | {
            "id": payment_id,
            "checkout_id": checkout["id"],
            "provider": "simulated",
            "provider_ref": ref_of(payment_id),
            "refunded_paise": 0,
            "paid_at": paid_at,
        }
        self._rows.payments.append(payment)
        self._rows.simulated_orders.append(
            both
            | {
                "ref": payment["provider_ref"],
                "description": checkout["description"],
                "return_path": checkout["return_path"],
                "expires_at": checkout["expires_at"],
            }
        )
        return payment

    def refund(
        self,
        payment: Row,
        booking_id: UUID,
        amount_paise: int,
        *,
        reason: str,
        at: datetime,
    ) -> None:
        payment["refunded_paise"] = amount_paise
        payment["status"] = status_after_refunds(payment["amount_paise"], amount_paise)
        refund_id, sent_at = self._names.new_id(at), at + SECOND
        self._rows.refunds.append(
            {
                "id": refund_id,
                "payment_id": payment["id"],
                "kind": ItemKind.BOOKING,
                "item_id": booking_id,
                "amount_paise": amount_paise,
                "reason": reason,
                "status": RefundStatus.DONE,
                "provider_ref": f"rfnd_{refund_id.hex}",
                "created_at": at,
                "sent_at": sent_at,
                "done_at": sent_at,
            }
        )
        self._rows.simulated_refunds.append(
            {
                "id": refund_id,
                "order_ref": payment["provider_ref"],
                "amount_paise": amount_paise,
                "created_at": sent_at,
            }
        )
