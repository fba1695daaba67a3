"""Places by name, for programs and for what people type."""

from typing import Annotated

from pydantic import Field

from evcharge.places.queries import MOST, find_places
from evcharge.places.rules import LONGEST_TEXT, Place, PlaceKind
from evcharge.web.api import Answer, Api, Page, Query, Text
from evcharge.web.context import public

api = Api("places")


class PlaceQuery(Query):
    q: Annotated[Text, Field(min_length=1, max_length=LONGEST_TEXT)] = Field(
        description="The beginning of a name in English or Hindi, or of a pincode",
        examples=["Tumk"],
    )
    limit: int = Field(default=8, ge=1, le=MOST, description="How many at most")


class PlaceAnswer(Answer):
    kind: PlaceKind
    name: str
    name_hindi: str = Field(description="Empty where none is known")
    label: str = Field(description="Enough to tell it from others of that name")
    district: str
    state: str
    pincode: str = Field(description="Empty for towns")
    lat: float
    lon: float


@api.get("/places", guard=public)
def list_places(query: PlaceQuery) -> Page[PlaceAnswer]:
    """Find towns, localities and pincodes of India whose name begins like this.

    Towns come first, the largest first. Other spellings are tried.
    """
    found = find_places(query.q, limit=query.limit)
    return Page(items=[_described(each) for each in found], next_cursor=None)


def _described(place: Place) -> PlaceAnswer:
    return PlaceAnswer(
        kind=place.kind,
        name=place.name,
        name_hindi=place.name_hindi,
        label=place.label,
        district=place.district,
        state=place.state,
        pincode=place.pincode,
        lat=place.point.lat,
        lon=place.point.lon,
    )
