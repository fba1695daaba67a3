"""Which places a text may mean, best first. Reads the list that is built with the
assets; no network, no database of ours."""

import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from threading import local

from evcharge.kernel.geo import Point
from evcharge.places.rules import (
    LONGEST_TEXT,
    Place,
    PlaceKind,
    folded,
    skeleton_of,
    sound_of,
)

LIST = Path(__file__).with_name("built") / "places.db"
MOST = 20
NAMES_OF_A_TOWN = 10  # That begin alike, at most.
# Shorter beginnings fit half the villages of India: only towns are looked at.
SHORTEST_LOCALITY = 3
LAST = "\U0010ffff"

_own = local()

# The keys first: a short beginning fits thousands; only the best are looked up.
_BEGINS = """
    SELECT p.kind, p.name, p.name_hindi, p.district, p.state, p.pincode, p.lat, p.lon
    FROM (
        SELECT place_id, weight FROM keys
        WHERE form = ? AND spelled >= ? AND spelled < ? AND weight < 0
        ORDER BY weight LIMIT ?
    ) k JOIN places p ON p.id = k.place_id
    ORDER BY k.weight
"""
_SMALL = """
    SELECT p.kind, p.name, p.name_hindi, p.district, p.state, p.pincode, p.lat, p.lon
    FROM (
        SELECT place_id, spelled FROM keys
        WHERE form = 'name' AND spelled >= ? AND spelled < ? AND weight = 0
        ORDER BY spelled LIMIT ?
    ) k JOIN places p ON p.id = k.place_id
    ORDER BY k.spelled, p.pincode
"""
_IS = """
    SELECT p.kind, p.name, p.name_hindi, p.district, p.state, p.pincode, p.lat, p.lon
    FROM keys k JOIN places p ON p.id = k.place_id
    WHERE k.form = 'skeleton' AND k.spelled = ? ORDER BY k.weight LIMIT ?
"""


def find_places(text: str, *, limit: int = 8) -> list[Place]:
    """Return towns first, by size; then localities and pincodes; at most MOST.

    In English or Hindi; another spelling is looked for where the one given finds
    less than there is room for. Nothing for a text that is empty or too long.
    """
    name = folded(text[: LONGEST_TEXT + 1])
    if not name or len(text) > LONGEST_TEXT:
        return []
    return list(_found(name, min(limit, MOST)))


@lru_cache(maxsize=2_000)
def _found(name: str, limit: int) -> tuple[Place, ...]:
    seen: dict[str, Place] = {}
    for place in _candidates(name, limit):
        if len(seen) == limit:
            break
        seen.setdefault(place.label, place)
    return tuple(seen.values())


def _candidates(name: str, limit: int) -> Iterator[Place]:
    # A town has several names: more rows than places.
    many = limit * NAMES_OF_A_TOWN
    yield from _rows(_BEGINS, "name", name, name + LAST, many)
    is_digits = name.isdigit()
    if is_digits or len(name) >= SHORTEST_LOCALITY:
        yield from _rows(_SMALL, name, name + LAST, many)
    if is_digits or not name.isascii() or len(name) < SHORTEST_LOCALITY:
        return
    sound = sound_of(name)
    yield from _rows(_BEGINS, "sound", sound, sound + LAST, many)
    yield from _rows(_IS, skeleton_of(name), many)


def _rows(query: str, *values: object) -> Iterator[Place]:
    for row in _list().execute(query, values).fetchall():
        kind, name, hindi, district, state, pincode, lat, lon = row
        point = Point(lat, lon)
        yield Place(PlaceKind(kind), name, hindi, district, state, pincode, point)


def _list() -> sqlite3.Connection:
    """One for each thread; the file never changes while we run."""
    if not hasattr(_own, "connection"):
        if not LIST.exists():
            raise FileNotFoundError(f"No list of places in {LIST}: run `make assets`.")
        address = f"{LIST.as_uri()}?mode=ro&immutable=1"
        _own.connection = sqlite3.connect(address, uri=True)
    return _own.connection  # type: ignore[no-any-return]
