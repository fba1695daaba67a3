"""What operators type about their stations → what the rules speak of.

The rules say what is wrong, all at once. What cannot even be read becomes a value
that no rule lets pass, so that it is refused in the same words.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

from wtforms import (
    BooleanField,
    DateTimeLocalField,
    Field,
    Form,
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
)

# The stubs are of an older WTForms.
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]

from evcharge.bookings.rules import Slot
from evcharge.control.models import ParkedCharger
from evcharge.kernel.money import rupees_typed
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.rules import Access, BadStation, ConnectorKind, OverrunPolicy
from evcharge.stations.rules.entries import (
    AMENITIES,
    STATES,
    ChargerDetails,
    ConnectorDetails,
    EvseDetails,
    LocationDetails,
    check_connector,
    check_evse,
    check_location,
    is_outside_india,
)
from evcharge.web.formats import PLUGS

W = TypeVar("W", bound=StrEnum)
_COORDINATE = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,15})?")
_WHOLE = re.compile(r"[0-9]{1,9}")
_AMOUNT = re.compile(r"₹?\s?([0-9]{1,9}(?:\.[0-9]{1,3})?)")
IMPOSSIBLE = -1


def _without_spaces(text: str | None) -> str:
    return "".join((text or "").split()).replace("–", "-")


def options(first: str, others: Mapping[str, str]) -> list[SelectChoice]:
    """Return the options of a select; the first of them is none."""
    known = [SelectChoice(value, label or value) for value, label in others.items()]
    return [SelectChoice("", first), *known]


KINDS = options("Choose a plug", PLUGS)


class StationForm(Form):
    """`version` is the one that was on the screen when the editing began."""

    version = HiddenField()

    @property
    def seen_version(self) -> int:
        return _whole(self.version)

    def refuse(self, refusal: BadStation) -> None:
        """Show each problem at its field; one without a field stands on top."""
        problems = cast("dict[str, str]", refusal.details["problems"])
        for name, problem in problems.items():
            field = self._fields.get(_FIELDS.get(name, name))
            if field is None:
                self.form_errors.append(problem)
            else:
                field.errors = [problem]

    def compare_with(self, stored: "StationForm") -> None:
        """Say at each field what somebody else has made of it meanwhile.

        Saving once more then overwrites it knowingly.
        """
        for name, mine in self._fields.items():
            field = stored._fields[name]
            if name != "version" and _spoken(mine) != _spoken(field):
                mine.errors = [f"Now it says: {_spoken(field)}"]
        self.version.data = stored.version.data


# What a rule calls a value, and what the form calls it where that differs.
_FIELDS = {"booking_price_paise": "price", "power_w": "power_kw", "connectors": "kind"}


class LocationForm(StationForm):
    operator_id = SelectField("Operator", validate_choice=False)
    name = StringField("Name")
    address = StringField("Address")
    city = StringField("Town or city")
    state = SelectField(
        "State",
        choices=options("Choose a state", dict.fromkeys(STATES, "")),
        validate_choice=False,
    )
    pincode = StringField("Pincode", filters=[_without_spaces])
    lat = StringField("Latitude")
    lon = StringField("Longitude")
    is_abroad = BooleanField("This place is outside India")
    opening_hours = StringField(
        "Opening hours", default="24/7", filters=[_without_spaces]
    )
    timezone = StringField("Time zone", default="Asia/Kolkata")
    overrun = SelectField(
        "Who stays into the next booking",
        choices=[
            SelectChoice(OverrunPolicy.WARN.value, "is asked to leave"),
            SelectChoice(OverrunPolicy.STOP.value, "is stopped when it begins"),
        ],
        default=OverrunPolicy.WARN.value,
        validate_choice=False,
    )
    access = SelectField(
        "Who may charge here",
        choices=[
            SelectChoice(Access.PUBLIC.value, "everybody"),
            SelectChoice(Access.RESTRICTED.value, "guests, residents or staff"),
        ],
        default=Access.PUBLIC.value,
        validate_choice=False,
    )
    amenities = SelectMultipleField(
        "What there is",
        choices=[SelectChoice(*each) for each in AMENITIES.items()],
        validate_choice=False,
    )

    @classmethod
    def of(cls, location: Location) -> "LocationForm":
        return cls(
            data={
                **{name: getattr(location, name) for name in _LOCATION_COLUMNS},
                "lat": _degrees(location.lat),
                "lon": _degrees(location.lon),
                "is_abroad": is_outside_india(location.lat, location.lon),
                "operator_id": str(location.operator_id),
                "version": str(location.version),
            }
        )

    @property
    def asked_operator_id(self) -> int:
        return _whole(self.operator_id)

    @property
    def details(self) -> LocationDetails:
        return LocationDetails(
            name=_text(self.name),
            address=_text(self.address),
            city=_text(self.city),
            state=_text(self.state),
            pincode=_text(self.pincode),
            lat=_coordinate(self.lat),
            lon=_coordinate(self.lon),
            opening_hours=_text(self.opening_hours),
            amenities=tuple(dict.fromkeys(self.amenities.data or ())),
            timezone=_text(self.timezone),
            overrun=_choice(self.overrun, OverrunPolicy),
            access=_choice(self.access, Access),
        )

    def checked_details(self) -> LocationDetails:
        """Raises: BadStation; also for a place abroad that nobody meant."""
        details = self.details
        check_location(details)
        if is_outside_india(details.lat, details.lon) and not self.is_abroad.data:
            raise BadStation(
                {"lat": "This is outside India. Correct it, or tick that it is meant."}
            )
        return details


_LOCATION_COLUMNS = (
    "name",
    "address",
    "city",
    "state",
    "pincode",
    "opening_hours",
    "timezone",
    "amenities",
    "overrun",
    "access",
)


class ChargerForm(StationForm):
    identity = StringField("Identity")
    vendor = StringField("Make")
    model = StringField("Model")
    heartbeat_seconds = StringField("Seconds between heartbeats", default="300")
    # Whether it is one that waits: it then keeps the key it came with.
    parked = HiddenField()

    @classmethod
    def of(cls, charger: Charger) -> "ChargerForm":
        return cls(
            data={
                "identity": charger.identity,
                "vendor": charger.vendor,
                "model": charger.model,
                "heartbeat_seconds": str(charger.heartbeat_seconds),
                "version": str(charger.version),
            }
        )

    @classmethod
    def of_parked(cls, waiting: ParkedCharger) -> "ChargerForm":
        return cls(
            data={
                "identity": waiting.identity,
                "vendor": waiting.vendor,
                "model": waiting.model,
                "heartbeat_seconds": "300",
                "parked": "yes",
            }
        )

    @property
    def takes_in(self) -> bool:
        return bool(self.parked.data == "yes")

    @property
    def details(self) -> ChargerDetails:
        return ChargerDetails(
            identity=_text(self.identity),
            vendor=_text(self.vendor),
            model=_text(self.model),
            heartbeat_seconds=_whole(self.heartbeat_seconds),
        )


class EvseForm(StationForm):
    number = StringField("Number on the charger")
    price = StringField("Price for each started hour, in rupees")

    @classmethod
    def of(cls, evse: Evse) -> "EvseForm":
        return cls(
            data={
                "number": str(evse.number),
                "price": rupees_typed(evse.booking_price_paise),
                "version": str(evse.version),
            }
        )

    @property
    def details(self) -> EvseDetails:
        return EvseDetails(
            number=_whole(self.number),
            booking_price_paise=_thousandths_or_less(self.price, of=100),
        )


class PlugForm(StationForm):
    kind = SelectField("Plug", choices=KINDS, validate_choice=False)
    power_kw = StringField("Power in kW")

    def _plug(self, number: int) -> ConnectorDetails:
        """Raises: BadStation."""
        power_w = _thousandths_or_less(self.power_kw, of=1000)
        some = ConnectorDetails(number, ConnectorKind.CCS2, power_w)
        _check_all(lambda: check_connector(some), lambda: _kind(self.kind))
        return ConnectorDetails(number, _kind(self.kind), power_w)


class ConnectorForm(PlugForm):
    number = StringField("Number of the plug", default="1")

    @classmethod
    def of(cls, connector: Connector, *, version: int) -> "ConnectorForm":
        return cls(
            data={
                "number": str(connector.number),
                "kind": connector.kind.value,
                "power_kw": f"{Decimal(connector.power_w) / 1000:f}",
                "version": str(version),
            }
        )

    @property
    def details(self) -> ConnectorDetails:
        """Raises: BadStation."""
        return self._plug(_whole(self.number))


class NewEvseForm(EvseForm, PlugForm):
    """A new EVSE comes with its first plug."""

    def checked_details(self) -> tuple[EvseDetails, ConnectorDetails]:
        """Raises: BadStation, with all that is wrong."""
        _check_all(lambda: check_evse(self.details), lambda: self._plug(1))
        return self.details, self._plug(1)


class BlockForm(Form):
    """Maintenance, by the clock at the charger."""

    starts_at = DateTimeLocalField("From", format="%Y-%m-%dT%H:%M")
    ends_at = DateTimeLocalField("Until", format="%Y-%m-%dT%H:%M")
    reason = StringField("Reason")

    def slot(self, zone: ZoneInfo) -> Slot | None:
        """Return the stretch; None, with the problem at the field, if unreadable."""
        moments = []
        for field in (self.starts_at, self.ends_at):
            moment = _instant(field.data, zone)
            if moment is None:
                field.errors = ["Choose a day and a time."]
            else:
                moments.append(moment)
        return Slot(*moments) if len(moments) == 2 else None


def _instant(wall: datetime | None, zone: ZoneInfo) -> datetime | None:
    if wall is None or not 1970 < wall.year < 9999:
        return None
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _check_all(*checks: Callable[[], object]) -> None:
    """Raises: BadStation, with the problems of all of them."""
    problems: dict[str, str] = {}
    for check in checks:
        try:
            check()
        except BadStation as refusal:
            problems |= cast("dict[str, str]", refusal.details["problems"])
    if problems:
        raise BadStation(problems)


def _text(field: Field) -> str:
    return (field.data or "").strip()


def _coordinate(field: Field) -> float:
    text = _text(field)
    return float(text) if _COORDINATE.fullmatch(text) else math.nan


def _choice(field: Field, words: type[W]) -> W:
    """Raises: BadStation."""
    try:
        return words(_text(field))
    except ValueError:
        raise BadStation({field.name: "Choose one of the two."}) from None


def _whole(field: Field) -> int:
    text = _text(field)
    return int(text) if _WHOLE.fullmatch(text) else IMPOSSIBLE


def _thousandths_or_less(field: Field, *, of: int) -> int:
    """Return an amount in its smallest unit, of which `of` make one; no rounding."""
    found = _AMOUNT.fullmatch(_text(field).replace(",", ""))
    if found is None:
        return IMPOSSIBLE
    amount = Decimal(found[1]) * of
    return int(amount) if amount == int(amount) else IMPOSSIBLE


def _kind(field: Field) -> ConnectorKind:
    if field.data not in set(ConnectorKind):
        raise BadStation({"kind": "Choose a plug from the list."})
    return ConnectorKind(field.data)


def _degrees(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _spoken(field: Field) -> str:
    if isinstance(field, BooleanField):
        return "yes" if field.data else "no"
    if isinstance(field, SelectMultipleField | SelectField):
        chosen = field.data if isinstance(field.data, list) else [field.data]
        words = [each[1] for each in field.iter_choices() if each[0] in chosen]
        return ", ".join(words) or "nothing"
    return _text(field) or "nothing"
