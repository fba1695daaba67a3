"""Where the demo's chargers stand: made-up sites in real towns and along real roads.

Positions of towns are GeoNames' (CC BY 4.0), moved a little; operators and street
addresses are made up.
"""

import csv
from dataclasses import dataclass
from importlib.resources import files

OPERATORS = {
    "DA": "Deccan Amps",
    "MV": "Monsoon Volt",
    "BM": "Banyan Mile Charging",
    "SW": "Sabarmati Watts",
    "FR": "Five Rivers Charging",
    "HG": "Hooghly Grid",
}
# Stands along the long roads of the whole country; the others keep to a region.
EVERYWHERE = "BM"

METROS = frozenset(
    {
        "Ahmedabad",
        "Bengaluru",
        "Chandigarh",
        "Chennai",
        "Gurugram",
        "Hyderabad",
        "Kolkata",
        "Mumbai",
        "Navi Mumbai",
        "New Delhi",
        "Noida",
        "Pune",
    }
)

# Not open to the public at the moment: administrators see it, drivers do not.
CLOSED = frozenset({"SHLPLB"})


@dataclass(frozen=True)
class Place:
    """A site. `code` is part of its chargers' identities; `site` names its hardware."""

    operator: str
    code: str
    name: str
    address: str
    city: str
    state: str
    pincode: str
    lat: float
    lon: float
    opening_hours: str
    amenities: tuple[str, ...]
    site: str


def places() -> list[Place]:
    """Return all sites, in the order of places.csv."""
    text = (files(__package__) / "places.csv").read_text(encoding="utf-8")
    return [_place(row) for row in csv.DictReader(text.splitlines())]


def _place(row: dict[str, str]) -> Place:
    return Place(
        operator=row["operator"],
        code=row["code"],
        name=row["name"],
        address=row["address"],
        city=row["city"],
        state=row["state"],
        pincode=row["pincode"],
        lat=float(row["lat"]),
        lon=float(row["lon"]),
        opening_hours=row["hours"],
        amenities=tuple(row["amenities"].split(";")),
        site=row["site"],
    )
