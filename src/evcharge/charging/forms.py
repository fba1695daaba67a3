"""What a guest types before they pay → what the rules speak of."""

import re
from collections.abc import Callable, Sequence

from werkzeug.datastructures import MultiDict
from wtforms import EmailField, Field, Form, HiddenField, StringField, TelField
from wtforms.validators import ValidationError

from evcharge.accounts.rules import email_from_text, phone_from_text
from evcharge.charging.rules import MOST_ADVANCE_PAISE
from evcharge.kernel.errors import InvalidInput
from evcharge.kernel.money import rupees_short

OFFERED = (10_000, 20_000, 50_000)
USUAL = 20_000
OWN = "own"
_WHOLE_RUPEES = re.compile(r"₹? ?([0-9]{1,3}(?:,[0-9]{2,3}){1,3}|[0-9]{1,6})", re.ASCII)


class PrepayForm(Form):
    """`amount` is one of those offered, in paise; for `own`, `own_amount` counts."""

    key = HiddenField()
    amount = StringField("Amount")
    own_amount = StringField("Your amount in rupees")
    email = EmailField("E-mail for the invoice")
    phone = TelField("Mobile number")

    def __init__(
        self,
        formdata: MultiDict[str, str] | None = None,
        *,
        least_paise: int,
        is_by_hour: bool = False,
    ) -> None:
        super().__init__(formdata)
        self.least_paise = least_paise
        self.is_by_hour = is_by_hour

    @property
    def offered(self) -> Sequence[int]:
        """Round sums; by the started hour, one to three of those."""
        if self.is_by_hour:
            sums = [self.least_paise * hours for hours in (1, 2, 3)]
            return [paise for paise in sums if paise <= MOST_ADVANCE_PAISE]
        worth = [paise for paise in OFFERED if paise >= self.least_paise]
        return worth if len(worth) == len(OFFERED) else [self.least_paise, *worth]

    @property
    def chosen(self) -> str:
        """What is marked when the page is shown: what they chose, or a usual amount."""
        if self.amount.data:
            return str(self.amount.data)
        return str(
            self.least_paise if self.is_by_hour else max(USUAL, self.least_paise)
        )

    @property
    def range_words(self) -> str:
        return f"{rupees_short(self.least_paise)} to {rupees_short(MOST_ADVANCE_PAISE)}"

    @property
    def amount_paise(self) -> int:
        """Raises: ValidationError, for what is no amount or out of range."""
        is_own = self.amount.data == OWN
        paise = _typed(self.own_amount.data) if is_own else _offered(self.amount.data)
        if paise is None or not self.least_paise <= paise <= MOST_ADVANCE_PAISE:
            raise ValidationError(f"Choose whole rupees, {self.range_words}.")
        return paise

    def validate_own_amount(self, _field: Field) -> None:
        _ = self.amount_paise

    def validate_email(self, field: Field) -> None:
        _obey(email_from_text, field)

    def validate_phone(self, field: Field) -> None:
        _obey(phone_from_text, field)

    @property
    def address(self) -> str | None:
        typed = (self.email.data or "").strip()
        return email_from_text(typed) if typed else None

    @property
    def phone_number(self) -> str | None:
        return phone_from_text(self.phone.data or "")


def _obey(rule: Callable[[str], object], field: Field) -> None:
    typed = (field.data or "").strip()
    try:
        _ = typed and rule(typed)
    except InvalidInput as refusal:
        raise ValidationError(refusal.message) from None


def _typed(text: str | None) -> int | None:
    found = _WHOLE_RUPEES.fullmatch((text or "").strip())
    return int(found[1].replace(",", "")) * 100 if found else None


def _offered(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch("[0-9]{1,9}", text) else None
