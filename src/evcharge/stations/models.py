from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evcharge.accounts.models import Operator
from evcharge.kernel.db import Base, BigId, UtcDateTime
from evcharge.stations.rules import (
    Access,
    ClaimedBy,
    ConnectorKind,
    EvseStatus,
    Facts,
    Lifecycle,
    OutageKind,
    OverrunPolicy,
    ReportedStatus,
    status_of,
)
from evcharge.stations.rules.entries import search_text
from evcharge.stations.rules.finding import UNKNOWN_PRICE, UNKNOWN_RELIABILITY
from evcharge.stations.rules.opening import OpeningHours


def _search_text(context: DefaultExecutionContext) -> str:
    row = context.get_current_parameters()  # type: ignore[no-untyped-call]
    fields = ("name", "city", "state", "pincode", "address")
    return search_text(**{field: row[field] for field in fields})


class Location(Base):
    """A site people drive to. `version` counts edits, so that none is overwritten."""

    __tablename__ = "locations"
    __table_args__ = (
        Index(None, "lat", "lon"),
        Index(None, "name", "id"),
        CheckConstraint("lat BETWEEN -90 AND 90", name="lat"),
        CheckConstraint("lon BETWEEN -180 AND 180", name="lon"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    address: Mapped[str] = mapped_column(String(250))
    city: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(80))
    pincode: Mapped[str] = mapped_column(String(6))
    lat: Mapped[float]
    lon: Mapped[float]
    timezone: Mapped[str] = mapped_column(String(40), default="Asia/Kolkata")
    # "24/7", or wall times such as "06:00-22:00".
    opening_hours: Mapped[str] = mapped_column(String(20), default="24/7")
    amenities: Mapped[list[str]] = mapped_column(JSON, default=list)
    # Folded by Python: SQLite would only fold the case of ASCII. Edits write it too.
    search_text: Mapped[str] = mapped_column(Text, default=_search_text)
    is_active: Mapped[bool] = mapped_column(default=True)
    overrun: Mapped[OverrunPolicy] = mapped_column(
        default=OverrunPolicy.WARN, server_default="warn"
    )
    access: Mapped[Access] = mapped_column(
        default=Access.PUBLIC, server_default="public"
    )
    # For how much of the last weeks its points could charge; None: not known yet.
    reliability_permille: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=1)

    operator: Mapped[Operator] = relationship()
    chargers: Mapped[list["Charger"]] = relationship(
        back_populates="location", order_by="Charger.identity"
    )

    @property
    def hours(self) -> OpeningHours:
        return OpeningHours(self.opening_hours, self.timezone)


class Charger(Base):
    """One box with one OCPP identity; the standard calls it a charging station."""

    __tablename__ = "chargers"

    id: Mapped[int] = mapped_column(primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"), index=True)
    identity: Mapped[str] = mapped_column(String(48), unique=True)
    vendor: Mapped[str] = mapped_column(String(50), default="")
    model: Mapped[str] = mapped_column(String(50), default="")
    heartbeat_seconds: Mapped[int] = mapped_column(default=300)
    last_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=1)

    location: Mapped[Location] = relationship(back_populates="chargers")
    evses: Mapped[list["Evse"]] = relationship(
        back_populates="charger", order_by="Evse.number"
    )

    @property
    def heartbeat(self) -> timedelta:
        return timedelta(seconds=self.heartbeat_seconds)


class Evse(Base):
    """The part of a charger that serves one vehicle at a time: what is booked."""

    __tablename__ = "evses"
    __table_args__ = (
        UniqueConstraint("charger_id", "number"),
        CheckConstraint("booking_price_paise >= 0", name="price"),
        # Few at any time: those whose price is to be worked out.
        Index(
            "ix_evses_no_price",
            "id",
            postgresql_where=text("paise_per_kwh IS NULL"),
            sqlite_where=text("paise_per_kwh IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    charger_id: Mapped[int] = mapped_column(ForeignKey("chargers.id"))
    number: Mapped[int]
    lifecycle: Mapped[Lifecycle] = mapped_column(default=Lifecycle.ACTIVE)
    # For every started hour, tax included, until tariffs arrive.
    booking_price_paise: Mapped[int]
    # What a kWh comes to, tax included, so that prices can be compared: the tariffs
    # feature works it out and says when. None: it has not yet.
    paise_per_kwh: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)
    # The charging session under way here; the charging feature says which.
    open_session_id: Mapped[UUID | None]

    charger: Mapped[Charger] = relationship(back_populates="evses")
    connectors: Mapped[list["Connector"]] = relationship(
        back_populates="evse", order_by="Connector.number"
    )

    def status(
        self, charger: Charger, claimed_by: ClaimedBy | None, *, now: datetime
    ) -> EvseStatus:
        """Return the word shown for it; its connectors must be loaded.

        `charger`: its own, which not every query loads with it; `claimed_by`: who
        owns this quarter hour, which bookings know.
        """
        facts = Facts(
            lifecycle=self.lifecycle,
            reported=tuple(each.reported_status for each in self.connectors),
            last_seen_at=charger.last_seen_at,
            heartbeat=charger.heartbeat,
            claimed_by=claimed_by,
            has_session=self.open_session_id is not None,
        )
        return status_of(facts, now=now)


class Connector(Base):
    """A plug or socket of an EVSE, and what the charger last said of it."""

    __tablename__ = "connectors"
    __table_args__ = (
        UniqueConstraint("evse_id", "number"),
        CheckConstraint("power_w > 0", name="power"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    evse_id: Mapped[int] = mapped_column(ForeignKey("evses.id"))
    number: Mapped[int]
    kind: Mapped[ConnectorKind]
    power_w: Mapped[int]
    reported_status: Mapped[ReportedStatus | None]
    reported_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Why it is faulted, in the charger's words; empty while it is well.
    error_code: Mapped[str] = mapped_column(String(50), default="", server_default="")
    vendor_error_code: Mapped[str] = mapped_column(
        String(50), default="", server_default=""
    )
    error_info: Mapped[str] = mapped_column(String(100), default="", server_default="")

    evse: Mapped[Evse] = relationship(back_populates="connectors")


class Outage(Base):
    """A stretch in which an EVSE could not charge: broken, closed, or unheard of."""

    __tablename__ = "outages"
    __table_args__ = (
        Index(None, "evse_id", "ended_at"),
        # One open outage of a kind: whoever notes it, however often.
        Index(
            "ix_outages_open",
            *("evse_id", "kind"),
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
            sqlite_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[BigId]
    evse_id: Mapped[int] = mapped_column(ForeignKey("evses.id"))
    kind: Mapped[OutageKind]
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


# ── the search index: written by stations/service/search_rows.py alone ────────────


class LocationConnector(Base):
    """A location where people find this kind of plug, or any: `SearchRow`."""

    __tablename__ = "location_connectors"
    __table_args__ = (
        # All that a search asks of it, so that it reads nothing but the index.
        Index(
            "ix_location_connectors_search",
            *("kind", "lat", "lon", "location_id", "max_power_w", "x", "y", "z"),
            *("operator_id", "traits", "paise_per_kwh", "reliability_permille"),
        ),
    )

    location_id: Mapped[int] = mapped_column(
        ForeignKey("locations.id"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    lat: Mapped[float]
    lon: Mapped[float]
    max_power_w: Mapped[int]
    x: Mapped[float]
    y: Mapped[float]
    z: Mapped[float]
    operator_id: Mapped[int] = mapped_column(server_default="0")
    traits: Mapped[int] = mapped_column(server_default="0")
    paise_per_kwh: Mapped[int] = mapped_column(server_default=str(UNKNOWN_PRICE))
    reliability_permille: Mapped[int] = mapped_column(
        server_default=str(UNKNOWN_RELIABILITY)
    )


class LocationCell(Base):
    """How many locations with this kind of plug lie in a cell, for searches that begin
    there: they look as far as so many probably are."""

    __tablename__ = "location_cells"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    north: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    east: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    locations: Mapped[int]


class MapCell(Base):
    """Locations with this kind of plug in a cell of a level: how many, and where.

    The sums of their places, in millionths of a degree, give the middle of them.
    """

    __tablename__ = "map_cells"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    north: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    east: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    locations: Mapped[int]
    sum_lat_e6: Mapped[int] = mapped_column(BigInteger)
    sum_lon_e6: Mapped[int] = mapped_column(BigInteger)
