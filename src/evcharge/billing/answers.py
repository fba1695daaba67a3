"""What something came to, in the API's words."""

from pydantic import Field

from evcharge.billing.models import Bill
from evcharge.web.api import Answer, Money


class BillLineAnswer(Answer):
    text: str
    quantity: str
    unit: str
    unit_price_paise: str = Field(description="May have a fraction; empty: none")
    amount: Money


class BillAnswer(Answer):
    """Worked out once it is over. Lines are before tax, unless `includes_tax`."""

    lines: list[BillLineAnswer]
    includes_tax: bool = Field(description="Whether the lines include the tax")
    net: Money
    cgst: Money
    sgst: Money
    igst: Money
    total: Money
    paid: Money = Field(description="Of the total, out of what was paid in advance")
    due: Money = Field(description="Of the total, what was still to pay: see /dues")
    energy_wh: int


def bill_answer(bill: Bill | None) -> BillAnswer | None:
    if bill is None:
        return None
    return BillAnswer(
        lines=[
            BillLineAnswer(
                text=line["text"],
                quantity=line["quantity"],
                unit=line["unit"],
                unit_price_paise=line["unit_price_paise"],
                amount=Money.of(line["amount_paise"]),
            )
            for line in bill.lines
        ],
        includes_tax=bill.includes_tax,
        net=Money.of(bill.net_paise),
        cgst=Money.of(bill.cgst_paise),
        sgst=Money.of(bill.sgst_paise),
        igst=Money.of(bill.igst_paise),
        total=Money.of(bill.total_paise),
        paid=Money.of(bill.paid_paise),
        due=Money.of(bill.due_paise),
        energy_wh=bill.energy_wh,
    )
