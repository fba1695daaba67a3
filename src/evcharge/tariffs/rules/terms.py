"""What a tariff says: components with restrictions, after OCPI 2.2.1, section 11.

Two things are ours: an ENERGY component may be a `part` of the price (electricity
passed through, or the service charge), and idle time may cost nothing at first.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from typing import Any, TypeVar

from evcharge.kernel.errors import InvalidInput

MOST_ELEMENTS = 50
MOST_COMPONENTS = 10
MOST_PAISE = 10_000_000  # ₹1 lakh.
MOST_STEP = 86_400
MOST_WH = 1_000_000_000
MOST_W = 10_000_000
MOST_SECONDS = 7 * 86_400
MOST_GRACE_MINUTES = 1_440
DAYS = (
    "MONDAY",
    "TUESDAY",
    "WEDNESDAY",
    "THURSDAY",
    "FRIDAY",
    "SATURDAY",
    "SUNDAY",
)


class ComponentType(StrEnum):
    ENERGY = "ENERGY"  # Per kWh.
    TIME = "TIME"  # Per hour of charging; of the slot, where it restricts reservation.
    PARKING_TIME = "PARKING_TIME"  # Per hour after charging ended.
    FLAT = "FLAT"  # Once.


class Part(StrEnum):
    """Which part of the price of energy a component is."""

    CHARGING = "charging"
    ELECTRICITY = "electricity"
    SERVICE = "service"


class TermsInvalid(InvalidInput):
    """`details["field"]` is the path to what is wrong: `elements.0.components`."""

    code = "tariff_invalid"
    message = "This tariff cannot be used."


@dataclass(frozen=True)
class Component:
    """`price_paise` before tax: per kWh, per hour, or once. `step_size`: Wh or seconds;
    what is used is billed in whole steps of it."""

    type: ComponentType
    price_paise: int
    step_size: int = 1
    part: Part = Part.CHARGING


@dataclass(frozen=True)
class Restrictions:
    """When an element applies; None: always. Wall times and dates of the location;
    `end_…` and `max_…` are the first that no longer belong to it."""

    start_time: time | None = None
    end_time: time | None = None
    start_date: date | None = None
    end_date: date | None = None
    min_wh: int | None = None
    max_wh: int | None = None
    min_w: int | None = None
    max_w: int | None = None
    min_seconds: int | None = None
    max_seconds: int | None = None
    day_of_week: tuple[str, ...] = ()
    is_reservation: bool = False


@dataclass(frozen=True)
class Element:
    components: tuple[Component, ...]
    restrictions: Restrictions = Restrictions()


@dataclass(frozen=True)
class Terms:
    """All amounts in paise before tax. `deposit_paise`: what is paid at booking instead
    of the estimate."""

    elements: tuple[Element, ...]
    min_price_paise: int | None = None
    max_price_paise: int | None = None
    idle_grace_minutes: int = 0
    deposit_paise: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads; what is not said is left out."""
        bounds = {
            "min_price_paise": self.min_price_paise,
            "max_price_paise": self.max_price_paise,
            "idle_grace_minutes": self.idle_grace_minutes or None,
            "deposit_paise": self.deposit_paise,
        }
        return {
            "elements": [_element_json(each) for each in self.elements],
            **{name: value for name, value in bounds.items() if value is not None},
        }

    @classmethod
    def from_json(cls, data: object) -> "Terms":
        """Raises: TermsInvalid, naming the field."""
        given = _object(data, "", set(_TERMS))
        low = _whole(given, "min_price_paise", "", most=MOST_PAISE)
        high = _whole(given, "max_price_paise", "", most=MOST_PAISE)
        if low is not None and high is not None and low > high:
            raise _wrong("max_price_paise", "Must not be below the least price.")
        grace = _whole(given, "idle_grace_minutes", "", most=MOST_GRACE_MINUTES)
        elements = _elements(given.get("elements"))
        _check_parts(elements)
        return cls(
            elements=elements,
            min_price_paise=low,
            max_price_paise=high,
            idle_grace_minutes=grace or 0,
            deposit_paise=_whole(given, "deposit_paise", "", most=MOST_PAISE),
        )


_TERMS = (
    "elements",
    "min_price_paise",
    "max_price_paise",
    "idle_grace_minutes",
    "deposit_paise",
)
_COMPONENT = ("type", "price_paise", "step_size", "part")
_RESTRICTIONS = (
    "start_time",
    "end_time",
    "start_date",
    "end_date",
    "min_wh",
    "max_wh",
    "min_w",
    "max_w",
    "min_seconds",
    "max_seconds",
    "day_of_week",
    "is_reservation",
)


# ── writing ──────────────────────────────────────────────────────────────────────


def _element_json(element: Element) -> dict[str, Any]:
    written: dict[str, Any] = {
        "components": [_component_json(each) for each in element.components]
    }
    if restrictions := _restrictions_json(element.restrictions):
        written["restrictions"] = restrictions
    return written


def _component_json(component: Component) -> dict[str, Any]:
    written: dict[str, Any] = {
        "type": component.type.value,
        "price_paise": component.price_paise,
    }
    if component.step_size != 1:
        written["step_size"] = component.step_size
    if component.part != Part.CHARGING:
        written["part"] = component.part.value
    return written


def _restrictions_json(said: Restrictions) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for name in _RESTRICTIONS:
        value = getattr(said, name)
        if value is None or value is False or value == ():
            continue
        if isinstance(value, time):
            value = value.strftime("%H:%M")
        elif isinstance(value, date):
            value = value.isoformat()
        elif isinstance(value, tuple):
            value = list(value)
        written[name] = value
    return written


# ── reading ──────────────────────────────────────────────────────────────────────


def _wrong(path: str, message: str) -> TermsInvalid:
    return TermsInvalid(f"{path}: {message}" if path else message, field=path)


def _object(data: object, path: str, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise _wrong(path, "Give an object.")
    unknown = sorted(str(name) for name in data if name not in known)
    if unknown:
        raise _wrong(_join(path, unknown[0][:40]), "There is no such field.")
    return data


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)


def _list(data: object, path: str, most: int) -> Sequence[Any]:
    if not isinstance(data, list) or not data:
        raise _wrong(path, "Give at least one.")
    if len(data) > most:
        raise _wrong(path, f"Give at most {most}.")
    return data


def _whole(
    given: Mapping[str, Any], name: str, path: str, *, most: int, least: int = 0
) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    # True is an int to Python, and no price.
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(_join(path, name), "Give a whole number.")
    if not least <= value <= most:
        raise _wrong(_join(path, name), f"Give a number from {least} to {most}.")
    return value


def _elements(data: object) -> tuple[Element, ...]:
    return tuple(
        _element(each, f"elements.{number}")
        for number, each in enumerate(_list(data, "elements", MOST_ELEMENTS))
    )


def _element(data: object, path: str) -> Element:
    given = _object(data, path, {"components", "restrictions"})
    inside = _join(path, "components")
    components = tuple(
        _component(each, f"{inside}.{number}")
        for number, each in enumerate(
            _list(given.get("components"), inside, MOST_COMPONENTS)
        )
    )
    if _repeats((each.type, each.part) for each in components):
        raise _wrong(inside, "Give each type and part once.")
    said = given.get("restrictions")
    restrictions = _restrictions(
        {} if said is None else said, _join(path, "restrictions")
    )
    return Element(components, restrictions)


def _repeats(values: Iterable[object]) -> bool:
    given = list(values)
    return len(set(given)) < len(given)


def _check_parts(elements: Sequence[Element]) -> None:
    """Each part is billed by itself: a whole price beside parts would count twice."""
    parts = {
        component.part
        for element in elements
        for component in element.components
        if component.type == ComponentType.ENERGY
    }
    if Part.CHARGING in parts and len(parts) > 1:
        raise _wrong(
            "elements", "Give the price of energy whole or in parts, not both."
        )


def _component(data: object, path: str) -> Component:
    given = _object(data, path, set(_COMPONENT))
    kind = _word(given, "type", path, ComponentType)
    part = _word({"part": Part.CHARGING} | dict(given), "part", path, Part)
    price = _whole(given, "price_paise", path, most=MOST_PAISE)
    if price is None:
        raise _wrong(_join(path, "price_paise"), "Give a price.")
    if part != Part.CHARGING and kind != ComponentType.ENERGY:
        raise _wrong(_join(path, "part"), "Only energy has parts.")
    step = _whole(given, "step_size", path, most=MOST_STEP, least=1)
    return Component(kind, price, step or 1, part)


E = TypeVar("E", bound=StrEnum)


def _word(given: Mapping[str, Any], name: str, path: str, words: type[E]) -> E:
    value = given.get(name)
    if not isinstance(value, str) or value not in set(words):
        raise _wrong(_join(path, name), f"Give one of {', '.join(words)}.")
    return words(value)


def _restrictions(data: object, path: str) -> Restrictions:
    given = _object(data, path, set(_RESTRICTIONS))
    found = Restrictions(
        start_time=_time(given, "start_time", path),
        end_time=_time(given, "end_time", path),
        start_date=_date(given, "start_date", path),
        end_date=_date(given, "end_date", path),
        min_wh=_whole(given, "min_wh", path, most=MOST_WH),
        max_wh=_whole(given, "max_wh", path, most=MOST_WH, least=1),
        min_w=_whole(given, "min_w", path, most=MOST_W),
        max_w=_whole(given, "max_w", path, most=MOST_W, least=1),
        min_seconds=_whole(given, "min_seconds", path, most=MOST_SECONDS),
        max_seconds=_whole(given, "max_seconds", path, most=MOST_SECONDS, least=1),
        day_of_week=_days(given.get("day_of_week"), _join(path, "day_of_week")),
        is_reservation=_flag(given, "is_reservation", path),
    )
    for low, high in (
        ("start_date", "end_date"),
        ("min_wh", "max_wh"),
        ("min_w", "max_w"),
        ("min_seconds", "max_seconds"),
    ):
        first, last = getattr(found, low), getattr(found, high)
        if first is not None and last is not None and first >= last:
            raise _wrong(_join(path, high), "Must be above where it begins.")
    return found


# Python reads more of ISO 8601 than a clock or a calendar shows: offsets, weeks.
_WALL_TIME = re.compile(r"[0-9]{2}:[0-9]{2}")
_CALENDAR_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _time(given: Mapping[str, Any], name: str, path: str) -> time | None:
    value = given.get(name)
    if value is None:
        return None
    try:
        if not isinstance(value, str) or not _WALL_TIME.fullmatch(value):
            raise ValueError
        return time.fromisoformat(value)
    except ValueError:
        raise _wrong(_join(path, name), "Give a time such as 09:00.") from None


def _date(given: Mapping[str, Any], name: str, path: str) -> date | None:
    value = given.get(name)
    if value is None:
        return None
    try:
        if not isinstance(value, str) or not _CALENDAR_DATE.fullmatch(value):
            raise ValueError
        return date.fromisoformat(value)
    except ValueError:
        raise _wrong(_join(path, name), "Give a date such as 2026-11-24.") from None


def _days(value: object, path: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or any(each not in DAYS for each in value):
        raise _wrong(path, f"Give days of {', '.join(DAYS)}.")
    return tuple(day for day in DAYS if day in value)


def _flag(given: Mapping[str, Any], name: str, path: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise _wrong(_join(path, name), "Give true or false.")
    return value
