"""What admins type about money → what the rules speak of."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time
from decimal import Decimal
from uuid import UUID

from wtforms import DateField, Field, Form, HiddenField, SelectField, StringField

# The stubs are of an older WTForms.
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import Length, Optional, ValidationError

from evcharge.billing.rules import Basis, Party
from evcharge.finance.rules import INDIA
from evcharge.kernel.ids import new_id

_AMOUNT = re.compile(r"₹?\s?([0-9]{1,9}(?:\.[0-9]{1,2})?)\s?%?")
_KEY = re.compile(r"[0-9a-f-]{36}")
WHOLE_NETWORK = ""


def hundredths(text: str | None) -> int | None:
    """Read `1,234.50` as 123450: paise of rupees, or hundredths of a percent."""
    found = _AMOUNT.fullmatch((text or "").replace(",", "").strip())
    return int(Decimal(found[1]) * 100) if found else None


def _is_amount(_form: Form, field: Field) -> None:
    if hundredths(field.data) is None:
        raise ValidationError("Write it like 1,234.50.")


def _words(text: str | None) -> str:
    return " ".join((text or "").split())


def _choose(field: SelectField, first: str, locations: Mapping[int, str]) -> None:
    known = [SelectChoice(str(id_), name) for id_, name in locations.items()]
    field.choices = [SelectChoice(WHOLE_NETWORK, first), *known]


def _location_id(field: SelectField) -> int | None:
    return int(field.data) if field.data else None


class PayoutForm(Form):
    """A payout that was made at the bank. `key`: the same form is the same payout."""

    to = SelectField("Paid to")
    amount = StringField("Amount, in rupees", [_is_amount])
    reference = StringField(
        "Reference", [Length(1, 60, "Say what the bank calls it, in up to 60 letters.")]
    )
    key = HiddenField()

    def offer(self, operator: str, locations: Mapping[int, str]) -> "PayoutForm":
        _choose(
            self.to, operator, {id_: f"Host of {n}" for id_, n in locations.items()}
        )
        if not _KEY.fullmatch(self.key.data or ""):
            self.key.data = str(new_id())
        return self

    @property
    def payout_id(self) -> UUID:
        return UUID(self.key.data)

    @property
    def location_id(self) -> int | None:
        return _location_id(self.to)

    @property
    def amount_paise(self) -> int:
        return hundredths(self.amount.data) or 0

    @property
    def words(self) -> str:
        return _words(self.reference.data)


class AgreementForm(Form):
    party = SelectField(
        "Who gets it",
        choices=[
            SelectChoice(Party.PLATFORM.value, "The platform"),
            SelectChoice(Party.HOST.value, "The host"),
        ],
    )
    location = SelectField("Where")
    payee = StringField("Host's name", [Length(max=120)])
    basis = SelectField(
        "How",
        choices=[
            SelectChoice(Basis.PERCENT.value, "Percent of the price without tax"),
            SelectChoice(Basis.PER_KWH.value, "Rupees for each kWh"),
        ],
    )
    value = StringField("How much", [_is_amount])
    valid_from = DateField("From", [Optional()])

    def offer(self, locations: Mapping[int, str]) -> "AgreementForm":
        _choose(self.location, "All locations", locations)
        return self

    @property
    def location_id(self) -> int | None:
        return _location_id(self.location)

    def starts_at(self, now: datetime) -> datetime:
        """Midnight in India of the day chosen; at once where none is."""
        if self.valid_from.data is None:
            return now
        return datetime.combine(self.valid_from.data, time(), INDIA).astimezone(UTC)

    @property
    def payee_name(self) -> str:
        return _words(self.payee.data)

    @property
    def hundredths(self) -> int:
        return hundredths(self.value.data) or 0
