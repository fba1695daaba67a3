"""The accounts, and the movements between them. Plain Python.

Every entry moves one amount from one account to another, so that none can be out of
balance; what an event does to several accounts is several entries.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Account(StrEnum):
    """Debits minus credits is what we have; credits minus debits is what we owe."""

    GATEWAY = "gateway"  # Money at a payment provider: ours to have.
    DUES = "dues"  # What drivers still owe: ours to have.
    BANK = "bank"  # Paid out of, and into.
    ADVANCES = "advances"  # Paid by drivers, not earned yet: theirs.
    REFUNDS = "refunds"  # Promised back, not sent yet: theirs.
    RETURNS = "returns"  # Promised back out of what was earned; credited at once.
    SALES = "sales"  # Passes through: its credits are the turnover.
    OPERATOR_PAYABLE = "operator_payable"
    HOST_PAYABLE = "host_payable"
    PLATFORM_FEE = "platform_fee"
    GST_OUTPUT = "gst_output"


class EntryKind(StrEnum):
    """Why money moved: debit → credit."""

    PAYMENT = "payment"  # gateway → advances
    REFUND = "refund"  # advances → refunds: promised
    RETURN = "return"  # returns → refunds: promised, of what was earned
    REFUND_SENT = "refund_sent"  # refunds → gateway
    SALE = "sale"  # advances → sales
    SALE_DUE = "sale_due"  # dues → sales
    DUE_PAID = "due_paid"  # advances → dues
    DUE_WAIVED = "due_waived"  # operator payable → dues
    GST = "gst"  # sales → gst output
    FEE = "fee"  # sales → platform fee
    HOST = "host"  # sales → host payable
    OPERATOR = "operator"  # sales → operator payable
    GST_BACK = "gst_back"  # gst output → returns
    FEE_BACK = "fee_back"
    HOST_BACK = "host_back"
    OPERATOR_BACK = "operator_back"
    PAYOUT = "payout"  # operator payable → bank
    HOST_PAYOUT = "host_payout"  # host payable → bank


_SIDES = {
    EntryKind.PAYMENT: (Account.GATEWAY, Account.ADVANCES),
    EntryKind.REFUND: (Account.ADVANCES, Account.REFUNDS),
    EntryKind.RETURN: (Account.RETURNS, Account.REFUNDS),
    EntryKind.REFUND_SENT: (Account.REFUNDS, Account.GATEWAY),
    EntryKind.SALE: (Account.ADVANCES, Account.SALES),
    EntryKind.SALE_DUE: (Account.DUES, Account.SALES),
    EntryKind.DUE_PAID: (Account.ADVANCES, Account.DUES),
    EntryKind.DUE_WAIVED: (Account.OPERATOR_PAYABLE, Account.DUES),
    EntryKind.GST: (Account.SALES, Account.GST_OUTPUT),
    EntryKind.FEE: (Account.SALES, Account.PLATFORM_FEE),
    EntryKind.HOST: (Account.SALES, Account.HOST_PAYABLE),
    EntryKind.OPERATOR: (Account.SALES, Account.OPERATOR_PAYABLE),
    EntryKind.GST_BACK: (Account.GST_OUTPUT, Account.RETURNS),
    EntryKind.FEE_BACK: (Account.PLATFORM_FEE, Account.RETURNS),
    EntryKind.HOST_BACK: (Account.HOST_PAYABLE, Account.RETURNS),
    EntryKind.OPERATOR_BACK: (Account.OPERATOR_PAYABLE, Account.RETURNS),
    EntryKind.PAYOUT: (Account.OPERATOR_PAYABLE, Account.BANK),
    EntryKind.HOST_PAYOUT: (Account.HOST_PAYABLE, Account.BANK),
}


@dataclass(frozen=True)
class Entry:
    """A movement to be written down: `amount_paise` > 0, once for each `key`.

    `key` names the event, such as `payment:<id>:<item id>`; the same again is the same
    entry. Debit and credit follow from the kind.
    """

    kind: EntryKind
    key: str
    amount_paise: int
    at: datetime
    item_kind: str
    item_id: UUID
    location_id: int | None
    provider: str = ""
    # Only where no location says whose it is.
    operator_id: int | None = None

    @property
    def debit(self) -> Account:
        return _SIDES[self.kind][0]

    @property
    def credit(self) -> Account:
        return _SIDES[self.kind][1]
