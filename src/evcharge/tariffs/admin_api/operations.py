"""Making, changing, assigning and trying out tariffs."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import InvalidInput
from evcharge.tariffs import service
from evcharge.tariffs.admin_api.shapes import (
    AdminTariff,
    AssignmentAnswer,
    LineAnswer,
    NewAssignment,
    NewTariff,
    TariffChanges,
    TariffQuery,
    Trial,
    TrialAnswer,
)
from evcharge.tariffs.models import Tariff
from evcharge.tariffs.previews import Tried, place_of, price_in_words, try_out
from evcharge.tariffs.queries import (
    currents_of,
    places_of_operator,
    price_ceilings,
    tariff_in_scope,
    tariffs_after,
)
from evcharge.tariffs.rules import Terms, TermsInvalid
from evcharge.tariffs.rules.ceilings import Ceiling, warnings
from evcharge.tariffs.rules.refusals import (
    NameNotUsable,
    PlaceNotFound,
    TariffChanged,
    TariffNotFound,
    ValidityInvalid,
)
from evcharge.taxes.queries import operators_in_scope
from evcharge.web.api import (
    Api,
    Money,
    Page,
    RowId,
    SeenVersion,
    cursor_of,
    position_or_none,
)
from evcharge.web.context import current_user, operator_required, perform, reading
from evcharge.web.problems import FieldProblem, VersionStale

T = TypeVar("T")
api = Api("tariffs_admin_api")
_ID = TypeAdapter(RowId)


class OperatorUnclear(InvalidInput):
    code = "operator_unclear"
    message = "Name an operator whose network you run."


@api.get("/admin/tariffs", guard=operator_required)
def list_admin_tariffs(query: TariffQuery) -> Page[AdminTariff]:
    """List the tariffs of your network, the oldest first."""
    after = position_or_none(query.cursor, _ID) or 0
    found = tariffs_after(
        reading(), current_user().scope, after=after, limit=query.limit + 1
    )
    shown = found[: query.limit]
    is_more = len(found) > query.limit
    return Page(
        items=_described_all(reading(), shown),
        next_cursor=cursor_of(shown[-1].id) if is_more else None,
    )


@api.post(
    "/admin/tariffs",
    guard=operator_required,
    status=201,
    location="/admin/tariffs/{id}",
    refuses=(TermsInvalid, NameNotUsable, OperatorUnclear),
)
def create_admin_tariff(body: NewTariff) -> AdminTariff:
    """Make a tariff. It applies nowhere until it is assigned."""
    terms, operator_id = _terms(body.terms), _operator_id(body.operator_id)

    def act(session: Session) -> AdminTariff:
        made = service.add_tariff(
            session,
            operator_id=operator_id,
            name=body.name,
            terms=terms,
            now=utc_now(),
        )
        return _described(session, made)

    return perform(act)


@api.get(
    "/admin/tariffs/<int:tariff_id>",
    guard=operator_required,
    refuses=(TariffNotFound,),
)
def get_admin_tariff(tariff_id: int) -> AdminTariff:
    """Look at a tariff, and at where it applies."""
    return _described(reading(), _tariff(reading(), tariff_id))


@api.patch(
    "/admin/tariffs/<int:tariff_id>",
    guard=operator_required,
    refuses=(TariffNotFound, TermsInvalid, NameNotUsable),
)
def edit_admin_tariff(
    tariff_id: int, body: TariffChanges, seen: SeenVersion
) -> AdminTariff:
    """Change a tariff for who comes from now on, or switch it off or on.

    Bookings and charges keep the terms they began under.
    """
    terms = None if body.terms is None else _terms(body.terms)

    def act(session: Session, found: Tariff) -> AdminTariff:
        service.change_tariff(
            session,
            found,
            name=found.name if body.name is None else body.name,
            terms=terms or Terms.from_json(found.terms),
            version=seen,
            now=utc_now(),
        )
        if body.is_active is not None:
            service.set_active(session, found, is_active=body.is_active, now=utc_now())
        session.flush()
        return _described(session, found)

    try:
        return _change(tariff_id, act)
    except TariffChanged as refusal:
        raise VersionStale from refusal


@api.post(
    "/admin/tariffs/<int:tariff_id>/assignments",
    guard=operator_required,
    status=201,
    refuses=(TariffNotFound, PlaceNotFound, ValidityInvalid),
)
def assign_admin_tariff(tariff_id: int, body: NewAssignment) -> AdminTariff:
    """Let a tariff apply somewhere. The nearest wins: EVSE, location, operator."""

    def act(session: Session, found: Tariff) -> AdminTariff:
        service.assign(
            session,
            found,
            location_id=body.location_id,
            evse_id=body.evse_id,
            valid_from=body.valid_from or utc_now(),
            valid_until=body.valid_until,
        )
        session.flush()
        session.refresh(found, ["assignments"])
        return _described(session, found)

    return _change(tariff_id, act)


@api.delete(
    "/admin/tariffs/<int:tariff_id>/assignments/<int:assignment_id>",
    guard=operator_required,
    status=204,
    refuses=(TariffNotFound,),
)
def end_admin_assignment(tariff_id: int, assignment_id: int) -> None:
    """Let it apply there no longer."""

    def act(session: Session, found: Tariff) -> None:
        own = [each for each in found.assignments if each.id == assignment_id]
        if not own:
            raise TariffNotFound(tariff_id=tariff_id)
        service.end_assignment(session, own[0], now=utc_now())

    _change(tariff_id, act)


@api.post(
    "/admin/tariffs/<int:tariff_id>/preview",
    guard=operator_required,
    refuses=(TariffNotFound, TermsInvalid),
)
def preview_admin_tariff(tariff_id: int, body: Trial) -> TrialAnswer:
    """Work out what a charge would cost, line by line. Changes nothing."""
    found = _tariff(reading(), tariff_id)
    length = timedelta(minutes=body.charging_minutes)
    standing = timedelta(minutes=body.standing_minutes)
    try:
        full = body.starts_at + length
        ends_at = full + standing
    except OverflowError:
        raise TermsInvalid("Try a time within this century.") from None
    place = place_of(found, places_of_operator(reading(), found.operator_id))
    tried = try_out(
        reading(),
        found,
        Terms.from_json(found.terms),
        place,
        spans=(body.starts_at, full, ends_at),
        energy_wh=body.energy_wh,
        now=utc_now(),
    )
    return _trial(place.name if place else "India", tried)


def _trial(place: str, tried: Tried) -> TrialAnswer:
    return TrialAnswer(
        place=place,
        lines=[
            LineAnswer(
                text=line.text,
                part=line.part,
                quantity=line.quantity,
                unit=line.unit,
                unit_price_paise=line.unit_price_paise,
                amount=Money.of(line.amount_paise),
            )
            for line in tried.cost.lines
        ],
        net=Money.of(tried.cost.net_paise),
        tax=Money.of(tried.taxed.tax_paise),
        total=Money.of(tried.taxed.total_paise),
    )


# ── what several need ────────────────────────────────────────────────────────────


def _tariff(session: Session, tariff_id: int, *, lock: bool = False) -> Tariff:
    return tariff_in_scope(session, tariff_id, current_user().scope, lock=lock)


def _change(tariff_id: int, act: Callable[[Session, Tariff], T]) -> T:
    return perform(lambda session: act(session, _tariff(session, tariff_id, lock=True)))


def _terms(given: dict[str, Any]) -> Terms:
    """Raises: TermsInvalid, with the place of what is wrong."""
    try:
        return Terms.from_json(given)
    except TermsInvalid as refusal:
        place = ".".join(filter(None, ("terms", str(refusal.details.get("field", "")))))
        problem = FieldProblem(where="body", field=place, message=refusal.message)
        raise TermsInvalid(refusal.message, problems=[problem]) from refusal


def _operator_id(asked: int | None) -> int:
    """Raises: OperatorUnclear."""
    known = [each.id for each in operators_in_scope(reading(), current_user().scope)]
    if asked is None and len(known) == 1:
        return known[0]
    if asked not in known:
        raise OperatorUnclear
    return asked


def _described(session: Session, tariff: Tariff) -> AdminTariff:
    return _described_all(session, [tariff])[0]


def _described_all(session: Session, tariffs: Sequence[Tariff]) -> list[AdminTariff]:
    ceilings = price_ceilings(session)
    return [_answer(session, each, ceilings) for each in tariffs]


def _answer(
    session: Session, tariff: Tariff, ceilings: Sequence[Ceiling]
) -> AdminTariff:
    terms = Terms.from_json(tariff.terms)
    return AdminTariff(
        id=tariff.id,
        version=tariff.version,
        operator_id=tariff.operator_id,
        name=tariff.name,
        price=price_in_words(tariff),
        terms=terms.as_json(),
        is_active=tariff.is_active,
        created_at=tariff.created_at,
        updated_at=tariff.updated_at,
        assignments=[
            AssignmentAnswer(
                id=each.id,
                evse_id=each.evse_id,
                location_id=each.location_id,
                valid_from=each.valid_from,
                valid_until=each.valid_until,
            )
            for each in tariff.assignments
        ],
        warnings=[
            each
            for current in currents_of(session, tariff)
            for each in warnings(terms, current=current, ceilings=ceilings)
        ],
    )
