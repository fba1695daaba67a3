"""What stands at a demo site: made-up charger models with plausible powers and prices.

The Bharat specifications fix their powers: AC-001 has three outlets of 3.3 kW each,
DC-001 one of 15 kW.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from evcharge.demo.places import METROS, Place
from evcharge.stations.rules import ConnectorKind, Lifecycle

Plugs = tuple[tuple[ConnectorKind, int], ...]


@dataclass(frozen=True)
class Point:
    """An EVSE of a model: its plugs, and rupees for an hour of booking in a metro."""

    plugs: Plugs
    rupees_per_hour: int


@dataclass(frozen=True)
class Model:
    vendor: str
    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Box:
    """One charger of a site, with what its EVSEs are and cost there."""

    identity: str
    model: Model
    prices_paise: tuple[int, ...]


def _points(
    count: int, rupees_per_hour: int, *plugs: tuple[ConnectorKind, int]
) -> tuple[Point, ...]:
    return (Point(plugs, rupees_per_hour),) * count


_CCS2, _TYPE2 = ConnectorKind.CCS2, ConnectorKind.TYPE2
_NILGIRI, _TAMRA, _KITE = "Nilgiri Electric", "Tamra Systems", "Kitework"

MODELS = {
    "ac7": Model(_NILGIRI, "Post 7", _points(1, 60, (_TYPE2, 7_400))),
    "ac7_twin": Model(_NILGIRI, "Post 7 Duo", _points(2, 60, (_TYPE2, 7_400))),
    "ac11": Model(_NILGIRI, "Post 11", _points(1, 70, (_TYPE2, 11_000))),
    "ac22": Model(_NILGIRI, "Post 22", _points(1, 100, (_TYPE2, 22_000))),
    "bharat_ac": Model(
        _TAMRA, "Tri 10", _points(3, 40, (ConnectorKind.BHARAT_AC_001, 3_300))
    ),
    "bharat_dc": Model(
        _TAMRA, "DC 15", _points(1, 150, (ConnectorKind.BHARAT_DC_001, 15_000))
    ),
    "sockets": Model(
        _TAMRA, "Socket 2", _points(2, 40, (ConnectorKind.SOCKET_16A, 3_300))
    ),
    "lev_ac": Model(_KITE, "Two 3", _points(2, 40, (ConnectorKind.LEV_AC, 3_300))),
    "lev_dc": Model(_KITE, "Two 7", _points(1, 70, (ConnectorKind.LEV_DC, 7_000))),
    "dc25": Model(_TAMRA, "Wall 25", _points(1, 200, (_CCS2, 25_000))),
    "dc30": Model(_TAMRA, "Wall 30", _points(1, 240, (_CCS2, 30_000))),
    "dc60": Model(_NILGIRI, "Rapid 60 Duo", _points(2, 400, (_CCS2, 60_000))),
    "dc60_tri": Model(
        _NILGIRI,
        "Rapid 60 Tri",
        (
            *_points(1, 400, (_CCS2, 60_000), (ConnectorKind.CHADEMO, 50_000)),
            *_points(1, 100, (_TYPE2, 22_000)),
        ),
    ),
    "dc120": Model(_NILGIRI, "Rapid 120 Duo", _points(2, 560, (_CCS2, 120_000))),
    "dc180": Model(_KITE, "Long 180 Duo", _points(2, 720, (_CCS2, 180_000))),
    "dc240": Model(_KITE, "Long 240 Duo", _points(2, 900, (_CCS2, 240_000))),
    "bus": Model(_KITE, "Fleet 120", _points(2, 560, (ConnectorKind.GBT_DC, 120_000))),
}

# The chargers of each kind of site in places.csv.
SITES = {
    "city_hub": ("dc120", "dc60_tri", "ac7_twin"),
    "city_fast": ("dc60", "ac7"),
    "office": ("ac7_twin", "ac11", "dc30"),
    "market": ("bharat_ac", "lev_dc"),
    "town": ("dc25", "ac7", "ac22"),
    "old_town": ("bharat_dc", "sockets", "lev_ac"),
    "highway_hub": ("dc240", "dc60_tri"),
    "highway_stop": ("dc60",),
    "depot": ("bus", "dc180", "bharat_dc"),
}

# Chargers nothing has been heard of for a while.
SILENT = frozenset({"BM-GWLNH44-01", "MV-BGMNH48-01"})

# EVSEs (identity, number) that do not simply work.
LIFECYCLES = {
    ("DA-BLRDVN-02", 1): Lifecycle.PLANNED,
    ("DA-BLRDVN-02", 2): Lifecycle.PLANNED,
    ("FR-NDAS18-02", 1): Lifecycle.PLANNED,
    ("MV-COKEDP-03", 2): Lifecycle.INOPERATIVE,
    ("SW-VAPNH48-01", 2): Lifecycle.INOPERATIVE,
    ("HG-RNCMRD-01", 3): Lifecycle.INOPERATIVE,
}


def boxes(place: Place) -> Iterator[Box]:
    """Yield the chargers of a site, under the names they connect with."""
    for number, name in enumerate(SITES[place.site], start=1):
        model = MODELS[name]
        yield Box(
            identity=f"{place.operator}-{place.code}-{number:02d}",
            model=model,
            prices_paise=tuple(_price(point, place) for point in model.points),
        )


def _price(point: Point, place: Place) -> int:
    """A tenth less outside the metros, in whole tens of rupees."""
    if place.city in METROS:
        return point.rupees_per_hour * 100
    return max(40, round(point.rupees_per_hour * 0.09) * 10) * 100
