"""Tariffs as JSON: what operators send of them, and what they are told."""

from typing import Annotated, Any

from pydantic import Field

from evcharge.tariffs.rules.refusals import LONGEST_NAME
from evcharge.web.api import (
    WHOLE,
    Answer,
    Body,
    Instant,
    Money,
    PageQuery,
    RowId,
    Text,
    Versioned,
)

MOST_TRIED_WH = 500_000
MINUTES_IN_DAY = 1_440

Name = Annotated[Text, Field(min_length=1, max_length=LONGEST_NAME)]
TermsBody = Annotated[
    dict[str, Any],
    Field(
        description="`elements` of OCPI 2.2.1, section 11, in paise without tax, and "
        "`min_price_paise`, `max_price_paise`, `idle_grace_minutes`, "
        "`deposit_paise`: docs/tariffs.md",
        examples=[{"elements": [{"components": [{"type": "ENERGY"}]}]}],
    ),
]
Minutes = Annotated[int, Field(ge=0, le=MINUTES_IN_DAY), WHOLE]


class TariffQuery(PageQuery):
    pass


class NewTariff(Body):
    operator_id: RowId | None = Field(
        default=None, description="Needed only by who runs several networks"
    )
    name: Name
    terms: TermsBody


class TariffChanges(Body):
    name: Name | None = None
    terms: TermsBody | None = None
    is_active: bool | None = Field(
        default=None, description="false: it applies nowhere any more"
    )


class NewAssignment(Body):
    """Neither an EVSE nor a location: all that its operator has."""

    evse_id: RowId | None = None
    location_id: RowId | None = None
    valid_from: Instant | None = Field(default=None, description="Now, unless you say")
    valid_until: Instant | None = Field(
        default=None, description="The first moment it no longer applies"
    )


class Trial(Body):
    """A charge to try a tariff with, at the first place where it applies."""

    starts_at: Instant
    energy_wh: Annotated[int, Field(ge=0, le=MOST_TRIED_WH), WHOLE]
    charging_minutes: Annotated[int, Field(ge=1, le=MINUTES_IN_DAY), WHOLE] = 60
    standing_minutes: Minutes = Field(
        default=0, description="Still plugged in after charging"
    )


class AssignmentAnswer(Answer):
    id: int
    evse_id: int | None
    location_id: int | None
    valid_from: Instant
    valid_until: Instant | None


class AdminTariff(Versioned):
    id: int
    operator_id: int
    name: str
    price: str = Field(description="In words, without tax")
    terms: dict[str, Any]
    is_active: bool
    created_at: Instant
    updated_at: Instant
    assignments: list[AssignmentAnswer]
    warnings: list[str] = Field(
        description="Where it is above a ceiling of the government; it applies anyhow"
    )


class LineAnswer(Answer):
    text: str
    part: str
    quantity: str
    unit: str
    unit_price_paise: str
    amount: Money = Field(description="Without tax")


class TrialAnswer(Answer):
    place: str = Field(description="By whose clock and tax it was worked out")
    lines: list[LineAnswer]
    net: Money
    tax: Money
    total: Money
