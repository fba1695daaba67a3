"""What operators type about prices → terms."""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from wtforms import (
    DateTimeLocalField,
    Field,
    Form,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import NumberRange, Optional, ValidationError

from evcharge.accounts.forms import obeys
from evcharge.accounts.models import Operator
from evcharge.kernel.money import rupees_typed
from evcharge.tariffs.queries import Place
from evcharge.tariffs.rules import Terms
from evcharge.tariffs.rules.refusals import name_from_text
from evcharge.tariffs.rules.simple import Band, SimplePrices
from evcharge.tariffs.rules.terms import TermsInvalid
from evcharge.web.formats import INDIA

BANDS = (1, 2, 3, 4)
EVERYWHERE = "all"
WH_IN_KWH = 1_000
_AMOUNT = re.compile(r"₹?\s?([0-9]{1,6}(?:\.[0-9]{1,2})?)", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,9}")
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


def paise(text: str | None) -> int | None:
    """Read rupees such as `1,234.50`; None where there is no such amount."""
    found = _AMOUNT.fullmatch((text or "").replace(",", "").strip())
    return int(Decimal(found[1]) * 100) if found else None


def version_from_text(text: str | None) -> int:
    """Read which version a form showed; 0, which is none, for anything else."""
    return int(text) if text and _NUMBER.fullmatch(text) else 0


def rupees_text(amount_paise: int | None) -> str:
    return rupees_typed(amount_paise) if amount_paise else ""


def _amount(_form: Form, field: Field) -> None:
    if (field.data or "").strip() and paise(field.data) is None:
        raise ValidationError("Write rupees, such as 18 or 18.50.")


def _needed(_form: Form, field: Field) -> None:
    if paise(field.data) is None:
        raise ValidationError("Write rupees, such as 18 or 18.50.")


def _clock(_form: Form, field: Field) -> None:
    if (field.data or "").strip() and not _CLOCK.fullmatch(field.data.strip()):
        raise ValidationError("Write a time, such as 09:00.")


class BandsForm(Form):
    """Up to four times of the day at which energy has another price."""


for _number in BANDS:
    _name = f"Time {_number}"
    setattr(BandsForm, f"from_{_number}", StringField(f"{_name}, from", [_clock]))
    setattr(BandsForm, f"until_{_number}", StringField(f"{_name}, until", [_clock]))
    setattr(BandsForm, f"price_{_number}", StringField(f"{_name}, ₹", [_amount]))


class PricesForm(BandsForm):
    """A tariff in prices. All amounts in rupees, without tax."""

    operator_id = SelectField("Operator", coerce=int)
    version = HiddenField(default="0")
    name = StringField("Name", [obeys(name_from_text)])
    energy = StringField("Energy, ₹ per kWh", [_needed])
    electricity = StringField("Electricity passed through, ₹ per kWh", [_amount])
    idle = StringField("Standing after charging, ₹ a minute", [_amount])
    grace = IntegerField("Free minutes", [Optional(), NumberRange(0, 1_440)])
    start = StringField("Start, ₹ once", [_amount])
    reservation = StringField("Keeping a slot, ₹ an hour", [_amount])
    least = StringField("Least price, ₹", [_amount])
    most = StringField("Highest price, ₹", [_amount])
    deposit = StringField("Deposit at booking, ₹", [_amount])

    def offer(self, operators: Iterable[Operator]) -> "PricesForm":
        self.operator_id.choices = [(each.id, each.name) for each in operators]
        return self

    def fill(self, prices: SimplePrices) -> None:
        """Show a tariff as it is."""
        self.energy.data = rupees_text(prices.energy_paise) or "0"
        self.electricity.data = rupees_text(prices.electricity_paise)
        self.idle.data = rupees_text(prices.idle_paise_per_minute)
        self.grace.data = prices.idle_grace_minutes or None
        self.start.data = rupees_text(prices.start_paise)
        self.reservation.data = rupees_text(prices.reservation_paise_per_hour)
        self.least.data = rupees_text(prices.min_price_paise)
        self.most.data = rupees_text(prices.max_price_paise)
        self.deposit.data = rupees_text(prices.deposit_paise)
        for number, band in zip(BANDS, prices.bands, strict=False):
            self[f"from_{number}"].data = band.start
            self[f"until_{number}"].data = band.end
            self[f"price_{number}"].data = rupees_text(band.energy_paise) or "0"

    @property
    def rows(self) -> list[tuple[Field, Field, Field]]:
        return [
            (self[f"from_{n}"], self[f"until_{n}"], self[f"price_{n}"]) for n in BANDS
        ]

    @property
    def terms(self) -> Terms:
        """Raises: TermsInvalid."""
        return SimplePrices(
            energy_paise=paise(self.energy.data) or 0,
            electricity_paise=paise(self.electricity.data),
            bands=tuple(self._bands()),
            idle_paise_per_minute=paise(self.idle.data) or 0,
            idle_grace_minutes=self.grace.data or 0,
            start_paise=paise(self.start.data) or 0,
            reservation_paise_per_hour=paise(self.reservation.data) or 0,
            min_price_paise=paise(self.least.data),
            max_price_paise=paise(self.most.data),
            deposit_paise=paise(self.deposit.data),
        ).terms

    def _bands(self) -> Iterable[Band]:
        for start, end, price in self.rows:
            given = [(each.data or "").strip() for each in (start, end, price)]
            if not any(given):
                continue
            if not all(given):
                message = "Give from, until and price of every time."
                raise TermsInvalid(message, field=start.name)
            yield Band(given[0], given[1], paise(given[2]) or 0)


class TermsForm(Form):
    """The same as JSON, for what prices alone cannot say."""

    name = StringField("Name", [obeys(name_from_text)])
    version = HiddenField(default="0")
    terms = TextAreaField("Terms")

    @property
    def read(self) -> Terms:
        """Raises: TermsInvalid."""
        try:
            data = json.loads(self.terms.data or "")
        except (ValueError, RecursionError):
            raise TermsInvalid("This is not JSON.", field="terms") from None
        return Terms.from_json(data)


class AssignmentForm(Form):
    place = SelectField("Where")
    valid_from = DateTimeLocalField("From", validators=[Optional()])
    valid_until = DateTimeLocalField("Until", validators=[Optional()])

    def offer(self, places: Iterable[Place]) -> "AssignmentForm":
        self.places = {_key(each): each for each in places}
        everywhere = SelectChoice(EVERYWHERE, "All locations of the operator")
        self.place.choices = [
            everywhere,
            *(SelectChoice(key, each.name) for key, each in self.places.items()),
        ]
        return self

    @property
    def chosen(self) -> Place | None:
        """None: everywhere."""
        return self.places.get(self.place.data)

    def within(self, now: datetime) -> tuple[datetime, datetime | None]:
        """Return from when until when, by the clock of the place."""
        zone = ZoneInfo(self.chosen.zone) if self.chosen else INDIA
        since, until = self.valid_from.data, self.valid_until.data
        return _instant(since, zone) or now, _instant(until, zone)


def _key(place: Place) -> str:
    if place.evse_id is None:
        return f"location:{place.location_id}"
    return f"evse:{place.evse_id}"


def _instant(wall: datetime | None, zone: ZoneInfo) -> datetime | None:
    try:
        return wall.replace(tzinfo=zone).astimezone(UTC) if wall else None
    except (OverflowError, ValueError):
        return None


class PreviewForm(Form):
    """A charge to try a tariff with."""

    starts_at = DateTimeLocalField("Begins", validators=[Optional()])
    kwh = IntegerField("Energy, kWh", [NumberRange(0, 500)], default=30)
    minutes = IntegerField("Minutes of charging", [NumberRange(1, 1_440)], default=60)
    idle = IntegerField("Minutes of standing after", [NumberRange(0, 1_440)], default=0)

    @property
    def energy_wh(self) -> int:
        return (self.kwh.data or 0) * WH_IN_KWH

    @property
    def length(self) -> timedelta:
        return timedelta(minutes=self.minutes.data or 0)

    @property
    def standing(self) -> timedelta:
        return timedelta(minutes=self.idle.data or 0)


class CeilingForm(Form):
    price = StringField("₹ per kWh", [_needed])
    source = StringField("Source")
