"""How values look to people. Templates use these filters and no other formatting."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from evcharge.kernel.clock import utc_now
from evcharge.kernel.money import grouped
from evcharge.kernel.money import rupees as rupees
from evcharge.kernel.money import rupees_short as rupees_short
from evcharge.web import pictures

INDIA = ZoneInfo("Asia/Kolkata")

PLUGS = {
    "ccs2": "CCS2",
    "type2": "Type 2",
    "chademo": "CHAdeMO",
    "gbt_ac": "GB/T AC",
    "gbt_dc": "GB/T DC",
    "bharat_ac_001": "Bharat AC-001",
    "bharat_dc_001": "Bharat DC-001",
    "lev_ac": "LEV AC",
    "lev_dc": "LEV DC",
    "lev_combo": "LEV combo",
    "socket_16a": "16 A socket",
    "type1": "Type 1",
}


# Numbers


def number(value: int) -> str:
    """Group the Indian way: `number(123456) == "1,23,456"`."""
    return grouped(value)


def _one_decimal(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)


def kw(power_w: int) -> str:
    """`60 kW`, `7.4 kW`."""
    text = str(_one_decimal(Decimal(power_w) / 1000)).removesuffix(".0")
    return f"{text} kW"


def kwh(energy_wh: int) -> str:
    """Always with one decimal, because it counts up on screens: `12.4 kWh`."""
    whole, tenth = divmod(int(_one_decimal(Decimal(energy_wh) / 1000) * 10), 10)
    return f"{number(whole)}.{tenth} kWh"


def distance(metres: float) -> str:
    """`850 m`, `2.4 km`, `24 km`."""
    if metres < 995:
        return f"{round(metres / 10) * 10} m"
    km = _one_decimal(Decimal(metres) / 1000)
    return f"{km} km" if km < 10 else f"{number(round(km))} km"


def percent(fraction: float) -> str:
    """`percent(0.256) == "26 %"`."""
    return f"{Decimal(str(fraction * 100)).quantize(Decimal(1), ROUND_HALF_UP)} %"


def plug(kind: str) -> str:
    return PLUGS[kind]


# Time. `now` is a parameter; the filters below fill it in.


def _local(moment: datetime, zone: str | ZoneInfo) -> datetime:
    return moment.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)


def clock(moment: datetime, zone: str | ZoneInfo = INDIA) -> str:
    """`18:05`, on the clock of the people at the charger."""
    return f"{_local(moment, zone):%H:%M}"


def calendar_day(on: date, today: date) -> str:
    """`today`, `tomorrow`, `yesterday`, `Mon 24 Nov`, `Mon 24 Nov 2025`."""
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}
    if word := near.get((on - today).days):
        return word
    year = "" if on.year == today.year else f" {on.year}"
    return f"{on:%a} {on.day} {on:%b}{year}"


def day(moment: datetime, now: datetime, zone: str | ZoneInfo = INDIA) -> str:
    return calendar_day(_local(moment, zone).date(), _local(now, zone).date())


def day_clock(moment: datetime, now: datetime, zone: str | ZoneInfo = INDIA) -> str:
    """`today 18:05`, `Mon 24 Nov 18:05`."""
    return f"{day(moment, now, zone)} {clock(moment, zone)}"


def slot_range(
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
    zone: str | ZoneInfo = INDIA,
) -> str:
    """`today 18:00–19:00`, `today 23:30 – tomorrow 00:30`, `today 23:00–24:00`."""
    start, end = _local(starts_at, zone), _local(ends_at, zone)
    first = day_clock(starts_at, now, zone)
    if start.date() == end.date():
        return f"{first}–{end:%H:%M}"
    if end.date() - start.date() == timedelta(1) and f"{end:%H:%M}" == "00:00":
        return f"{first}–24:00"
    return f"{first} – {day_clock(ends_at, now, zone)}"


def duration(span: timedelta | int) -> str:
    """`45 min`, `1 h 30 min`, of a timedelta or of minutes."""
    minutes = round(span.total_seconds() / 60) if isinstance(span, timedelta) else span
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h"] * (hours > 0) + [f"{rest} min"] * (rest > 0)
    return " ".join(parts) or "0 min"


def age(moment: datetime, now: datetime) -> str:
    """`12 s ago`, `5 min ago`, `3 h ago`, `2 days ago`. `js/ages.js` says the same."""
    seconds = max(0, int((now - moment).total_seconds()))
    if seconds < 60:
        return f"{seconds} s ago"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    if seconds < 86_400:
        return f"{seconds // 3600} h ago"
    days = seconds // 86_400
    return "1 day ago" if days == 1 else f"{days} days ago"


def since(moment: datetime, now: datetime, zone: str | ZoneInfo = INDIA) -> str:
    """`since 14:05`, `since yesterday`, `since Mon 24 Nov`."""
    word = day(moment, now, zone)
    return f"since {clock(moment, zone) if word == 'today' else word}"


def left(moment: datetime, now: datetime) -> str:
    """How long until then, rounded so that it does not flicker: `about 25 min left`."""
    minutes = (moment - now).total_seconds() / 60
    if minutes < 5:
        return "almost done"
    return f"about {duration(round(minutes / 5) * 5)} left"


def instant(moment: datetime) -> str:
    """For `datetime` attributes and scripts: RFC 3339, UTC, whole seconds."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


_AGO = Markup('<time datetime="%s" data-age>%s</time>')


def ago(moment: datetime, now: datetime) -> Markup:
    """An age that `js/ages.js` keeps true while the page stays open."""
    return _AGO % (instant(moment), age(moment, now))


# Filters


def _relative(show: Callable[..., str], position: int) -> Callable[..., str]:
    """Fill in `now` at the position: the page's own, so that one page agrees.

    A macro imported without context does not see the page's; it takes the clock's.
    """

    @pass_context
    def filter_(context: Context, *arguments: Any, **options: Any) -> str:
        now = context.get("now") or utc_now()
        return show(*arguments[:position], now, *arguments[position:], **options)

    return filter_


def install(app: Flask) -> None:
    filters = app.jinja_env.filters
    for plain in (
        number, rupees, rupees_short, kw, kwh, distance, percent, plug,
        clock, duration, instant,
    ):  # fmt: skip
        filters[plain.__name__] = plain
    for relative in (day, day_clock, age, since, left, ago):
        filters[relative.__name__] = _relative(relative, 1)
    filters["slot_range"] = _relative(slot_range, 2)
    pictures.install(app)
