"""What programs are told of locations and their EVSEs."""

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from pydantic import Field

from evcharge.network.queries import PlugOffer, Site, SitePage
from evcharge.network.rules import EvseNow, PlugNow
from evcharge.stations.rules import Access, ConnectorKind, EvseStatus, ReportedStatus
from evcharge.web.api import Answer, Instant, Money


class PlugAnswer(Answer):
    number: int
    kind: ConnectorKind
    power_w: int
    reported_status: ReportedStatus | None = Field(description="By the charger's word")
    reported_at: Instant | None


class EvseAnswer(Answer):
    """What a vehicle stands at; this is what is booked."""

    id: int
    charger: str
    number: int
    status: EvseStatus
    status_at: Instant | None = Field(description="Since when, if the charger said so")
    last_seen_at: Instant | None = Field(description="How fresh this is")
    next_free_at: Instant | None = Field(description="Within a day; null: not known")
    is_bookable: bool
    price_per_hour: Money = Field(
        description="Per started hour, tax included; where no tariff applies"
    )
    price: str | None = Field(description="In words, where a tariff applies")
    connectors: list[PlugAnswer]


class KindAnswer(Answer):
    kind: ConnectorKind
    max_power_w: int
    paise_per_kwh: int | None = Field(
        description="What a kWh comes to at the cheapest, tax included, if known"
    )


class LocationAnswer(Answer):
    id: int
    name: str
    address: str
    city: str
    state: str
    pincode: str
    lat: float
    lon: float
    timezone: str
    opening_hours: str = Field(description="24/7, or wall times: 06:00-22:00")
    access: Access
    reliability_permille: int | None = Field(
        description="For how much of the last 30 days it could charge, of 1000"
    )


class LocationFound(LocationAnswer):
    distance_m: int | None = Field(description="As the crow flies, with near")
    connectors: list[KindAnswer]
    evses: list[EvseAnswer] | None = Field(description="Only with include=evses")


class OperatorAnswer(Answer):
    name: str
    phone: str | None


class LocationDetails(LocationAnswer):
    operator: OperatorAnswer
    amenities: list[str]
    is_active: bool = Field(description="Open to drivers at all")
    evses: list[EvseAnswer]


_ABOUT = tuple(LocationAnswer.model_fields)
_about = attrgetter(*_ABOUT)


def about(site: Site | SitePage) -> dict[str, Any]:
    return dict(zip(_ABOUT, _about(site), strict=True))


def found(site: Site, evses: Sequence[EvseNow] | None) -> LocationFound:
    return LocationFound(
        **about(site),
        distance_m=None if site.distance_m is None else round(site.distance_m),
        connectors=_kinds(site.offers),
        evses=None if evses is None else [evse_answer(each) for each in evses],
    )


@lru_cache(maxsize=2000)  # Twenty on a page, and few different ones in a network.
def _kinds(offers: tuple[PlugOffer, ...]) -> list[KindAnswer]:
    return [
        KindAnswer(
            kind=each.kind,
            max_power_w=each.power_w,
            paise_per_kwh=each.paise_per_kwh,
        )
        for each in offers
    ]


def evse_answer(evse: EvseNow) -> EvseAnswer:
    return EvseAnswer(
        id=evse.evse_id,
        charger=evse.charger,
        number=evse.number,
        status=evse.status,
        status_at=evse.status_at,
        last_seen_at=evse.seen_at,
        next_free_at=evse.next_free_at,
        is_bookable=evse.is_open,
        price_per_hour=Money.of(evse.price_paise),
        price=evse.price_words,
        connectors=[_plug(plug) for plug in evse.plugs],
    )


def _plug(plug: PlugNow) -> PlugAnswer:
    return PlugAnswer(
        number=plug.number,
        kind=plug.kind,
        power_w=plug.power_w,
        reported_status=plug.reported,
        reported_at=plug.reported_at,
    )
