"""Names of places: how they are spelled, and what counts as the same. Plain Python."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from evcharge.kernel.geo import Point

LONGEST_TEXT = 60


class PlaceKind(StrEnum):
    TOWN = "town"
    PINCODE = "pincode"
    LOCALITY = "locality"


@dataclass(frozen=True)
class Place:
    """`name_hindi` is empty where nobody told us one; a town has no pincode."""

    kind: PlaceKind
    name: str
    name_hindi: str
    district: str
    state: str
    pincode: str
    point: Point

    @property
    def label(self) -> str:
        """Return enough to tell it from others: "Koramangala, Bengaluru 560034"."""
        if self.kind == PlaceKind.TOWN:
            return f"{self.name}, {self.state}"
        if self.kind == PlaceKind.PINCODE:
            return f"{self.pincode} {self.name}, {self.state}"
        around = self.district or self.state
        return f"{self.name}, {around} {self.pincode}"


# Spellings that Indian names in Latin letters come in: kh and k, w and v, oo and u.
_SOUNDS = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"aa+", "a"),
        (r"ee+|ii+", "i"),
        (r"oo+|ou", "u"),
        (r"ph", "f"),
        (r"([bcdgjkpst])h", r"\1"),
        (r"ck|q|c(?![h])", "k"),
        (r"w", "v"),
        (r"z", "j"),
        (r"x", "ks"),
        (r"y", "i"),
        (r"ai|ei", "e"),
        (r"au", "o"),
        (r"(.)\1+", r"\1"),
    )
]
_NUKTA, _CHANDRABINDU, _ANUSVARA = "\u093c", "\u0901", "\u0902"


def folded(text: str) -> str:
    """Return a name without case, marks and signs; vowel signs of Hindi stay."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = (
        sign
        for sign in decomposed.replace(_CHANDRABINDU, _ANUSVARA)
        if sign != _NUKTA and (sign.isalnum() or sign == " " or _is_indic(sign))
    )
    return " ".join("".join(kept).split())


def _is_indic(sign: str) -> bool:
    return "\u0900" <= sign <= "\u0d7f"


def sound_of(text: str) -> str:
    """Return what Latin spellings of one name have in common: "Jaypur", "Jaipur"."""
    sound = folded(text).replace(" ", "")
    for pattern, put in _SOUNDS:
        sound = pattern.sub(put, sound)
    return sound


def skeleton_of(text: str) -> str:
    """Return its consonants alone: "Ahemdabad" is "Ahmedabad"."""
    sound = sound_of(text)
    return sound[:1] + re.sub(r"[aeiouh]", "", sound[1:])
