"""A location in a few words: what one card of a list says of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from evcharge.network.rules import EvseNow, Search
from evcharge.stations.rules import ConnectorKind, EvseStatus, Lifecycle


@dataclass(frozen=True)
class PlugCount:
    kind: ConnectorKind
    power_w: int
    count: int


@dataclass(frozen=True)
class Summary:
    """The EVSEs of a location, or those that suit a search, as one card shows them.

    `seen_at` is the age of the oldest news that the count rests on.
    """

    free: int
    total: int
    is_planned: bool
    is_unknown: bool
    seen_at: datetime | None
    next_free_at: datetime | None
    price_from_paise: int | None
    price_words: str | None
    plugs: tuple[PlugCount, ...]
    first_free_evse_id: int | None


def summary_of(evses: Sequence[EvseNow], search: Search) -> Summary:
    """Count what suits the search: free for its slot if it names one, else free now."""
    suiting = [evse for evse in evses if _suits(evse, search)]
    counted = [evse for evse in suiting if evse.lifecycle != Lifecycle.PLANNED]
    free = [evse for evse in counted if _is_free(evse, search)]
    known = [evse for evse in counted if evse.status != EvseStatus.UNKNOWN]
    is_unknown = bool(counted) and not known
    seen = [evse.seen_at for evse in known or counted if evse.seen_at is not None]
    upcoming = [evse.next_free_at for evse in counted if evse.next_free_at is not None]
    usable = [evse for evse in counted if evse.is_open]
    by_hour = [evse.price_paise for evse in usable if evse.price_words is None]
    return Summary(
        free=len(free),
        total=len(counted),
        is_planned=bool(suiting) and not counted,
        is_unknown=is_unknown,
        seen_at=(max if is_unknown else min)(seen, default=None),
        next_free_at=min(upcoming, default=None),
        price_from_paise=min(by_hour, default=None),
        price_words=None if by_hour else _price_words(usable),
        plugs=_plug_counts(evses),
        first_free_evse_id=free[0].evse_id if free else None,
    )


def _price_words(evses: Sequence[EvseNow]) -> str | None:
    """Return the price by tariff; of several, the lowest for a kWh."""
    by_price = {evse.paise_per_kwh or 0: evse.price_words for evse in evses}
    words = by_price[min(by_price)] if by_price else None
    return f"from {words}" if words and len(set(by_price.values())) > 1 else words


class Mark(StrEnum):
    """What a mark on the map says of a location, of what suits the search."""

    FREE = "free"
    BUSY = "busy"
    BROKEN = "broken"
    UNKNOWN = "unknown"


_BUSY = {EvseStatus.CHARGING, EvseStatus.BLOCKED, EvseStatus.RESERVED}
_BROKEN = {EvseStatus.OUT_OF_ORDER, EvseStatus.INOPERATIVE}


def mark_of(evses: Sequence[EvseNow], search: Search) -> Mark:
    """Return the best that can be said: one that is free makes the place free."""
    suiting = [evse for evse in evses if _suits(evse, search)]
    if any(_is_free(evse, search) for evse in suiting):
        return Mark.FREE
    words = {evse.status for evse in suiting}
    # Free now is not free for the slot they asked for.
    if words & _BUSY or EvseStatus.AVAILABLE in words:
        return Mark.BUSY
    return Mark.BROKEN if words and words <= _BROKEN else Mark.UNKNOWN


def _is_free(evse: EvseNow, search: Search) -> bool:
    return evse.is_free if search.slot is None else evse.is_free_for_slot


def _suits(evse: EvseNow, search: Search) -> bool:
    if not search.is_affordable(evse.paise_per_kwh):
        return False
    wants_plug = search.kinds or search.min_power_w
    return not wants_plug or any(
        search.suits(plug.kind, plug.power_w) for plug in evse.plugs
    )


def _plug_counts(evses: Sequence[EvseNow]) -> tuple[PlugCount, ...]:
    """Count plugs of a kind and power, the strongest first."""
    counts = Counter((plug.kind, plug.power_w) for evse in evses for plug in evse.plugs)
    strongest_first = sorted(counts, key=lambda each: (-each[1], each[0]))
    return tuple(PlugCount(*each, counts[each]) for each in strongest_first)
