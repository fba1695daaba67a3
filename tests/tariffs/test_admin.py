"""Operators make tariffs in the console, and drivers are charged by them."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

import make
from booking_pages import words
from desk import Desk
from evcharge.kernel.clock import utc_now
from evcharge.tariffs.models import PriceCeiling, Tariff, TariffAssignment
from evcharge.tariffs.queries import agreed_at
from evcharge.tariffs.rules import Terms
from evcharge.tariffs.rules.simple import Band, SimplePrices
from tariff_rows import a_registration

PRICES = {
    "name": "Day and night",
    "energy": "18",
    "from_1": "22:00",
    "until_1": "06:00",
    "price_1": "12.50",
    "idle": "2",
    "grace": "10",
    "start": "5",
    "reservation": "15",
    "least": "20",
    "most": "2,000",
    "deposit": "200",
}


@pytest.fixture
def place(database):
    with database.transaction() as session:
        evse = make.an_evse(session)
        location = evse.charger.location
        return {
            "operator": location.operator,
            "operator_id": location.operator_id,
            "location_id": location.id,
            "evse_id": evse.id,
        }


@pytest.fixture
def staff(place, sign_in):
    return sign_in("operator", operator=place["operator"])


@pytest.fixture
def made(staff, place, database):
    """The address of a tariff, and its row as it is now."""
    staff.post("/admin/tariffs/new", data=form(place))
    return f"/admin/tariffs/{the_tariff(database).id}"


def form(place, **changed):
    return PRICES | {"operator_id": place["operator_id"]} | changed


def the_tariff(database):
    with database.reading() as session:
        return session.scalars(select(Tariff)).one()


def agreed(database, place, *, at=None):
    with database.reading() as session:
        found = agreed_at(session, [place["evse_id"]], at=at or utc_now())
        return found.get(place["evse_id"])


def test_prices_that_are_typed_become_terms(staff, place, database):
    answer = staff.post("/admin/tariffs/new", data=form(place))

    assert answer.status_code == 303
    kept = Terms.from_json(the_tariff(database).terms)
    assert (
        kept
        == SimplePrices(
            energy_paise=1_800,
            bands=(Band("22:00", "06:00", 1_250),),
            idle_paise_per_minute=200,
            idle_grace_minutes=10,
            start_paise=500,
            reservation_paise_per_hour=1_500,
            min_price_paise=2_000,
            max_price_paise=200_000,
            deposit_paise=20_000,
        ).terms
    )


def test_what_was_typed_is_shown_again(staff, made):
    page = staff.get(made).text

    for value in ("18", "12.50", "22:00", "06:00", "200", "2000"):
        assert f'value="{value}"' in page
    assert "₹12.50–18 per kWh + ₹5 a charge" in words(staff.get("/admin/tariffs"))


def test_a_tariff_applies_where_it_is_assigned_and_until_it_is_ended(
    staff, made, place, database
):
    assert agreed(database, place) is None
    staff.post(
        f"{made}/assignments", data={"place": f"location:{place['location_id']}"}
    )
    assert agreed(database, place).name == "Day and night"

    with database.reading() as session:
        number = session.scalars(select(TariffAssignment.id)).one()
    staff.post(f"{made}/assignments/{number}/end")
    assert agreed(database, place) is None


def test_the_nearest_tariff_wins(staff, made, place, database):
    staff.post(f"{made}/assignments", data={"place": f"evse:{place['evse_id']}"})
    staff.post("/admin/tariffs/new", data=form(place, name="Everywhere"))
    with database.reading() as session:
        other = session.scalars(select(Tariff.id).filter_by(name="Everywhere")).one()
    staff.post(f"/admin/tariffs/{other}/assignments", data={"place": "all"})

    assert agreed(database, place).name == "Day and night"


def test_one_that_is_switched_off_applies_nowhere(staff, made, place, database):
    staff.post(f"{made}/assignments", data={"place": "all"})
    staff.post(f"{made}/activity", data={"is_active": "no"})
    assert agreed(database, place) is None
    assert "applies nowhere" in words(staff.get(made))

    staff.post(f"{made}/activity", data={"is_active": "yes"})
    assert agreed(database, place) is not None


def test_it_applies_from_a_time_on_by_the_clock_of_the_place(
    staff, made, place, database
):
    staff.post(
        f"{made}/assignments",
        data={"place": "all", "valid_from": "2031-01-01T00:00"},
    )
    with database.reading() as session:
        since = session.scalars(select(TariffAssignment.valid_from)).one()

    # Midnight in India is half past six of the evening before.
    assert since.isoformat() == "2030-12-31T18:30:00+00:00"
    assert agreed(database, place) is None
    assert agreed(database, place, at=since) is not None


def test_an_end_before_the_beginning_is_shown_at_its_field(staff, made, database):
    answer = staff.post(
        f"{made}/assignments",
        data={
            "place": "all",
            "valid_from": "2031-01-02T00:00",
            "valid_until": "2031-01-01T00:00",
        },
    )
    assert answer.status_code == 422
    assert "must end after it begins" in words(answer)


def test_who_edits_what_somebody_else_has_changed_is_told(staff, made, place, database):
    mine = form(place, name="Mine", version="1")
    assert staff.post(made, data=form(place, name="Theirs", version="1"))
    staff.post(made, data=mine)

    assert the_tariff(database).name == "Theirs"
    assert "Somebody else has changed" in words(staff.get(made))


def test_an_edit_is_for_who_comes_later(staff, made, place, database):
    with database.transaction() as session:
        desk = Desk(database, make.a_user(session).id, place["evse_id"])
    staff.post(f"{made}/assignments", data={"place": "all"})
    now = utc_now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    before = desk.book(make.a_slot(now=now), evse_id=place["evse_id"], now=utc_now())
    staff.post(made, data=form(place, version="1", deposit="500"))
    after = desk.book(
        make.a_slot(now=now, after_hours=3), evse_id=place["evse_id"], now=utc_now()
    )

    assert desk.read(before.id).amount_paise == 20_000
    assert after.amount_paise == 50_000


def test_a_charge_is_previewed_line_by_line_with_tax(staff, made, place, database):
    with database.transaction() as session:
        a_registration(session, state="Karnataka")
    asked = "starts_at=2026-11-22T21:30&kwh=30&minutes=60&idle=25"

    page = words(staff.get(f"{made}?{asked}"))

    # 15 kWh x ₹18 = 270, 15 x ₹12.50 = 187.50, start 5, standing 15 x ₹2 = 30:
    # 492.50, and 18 % of it 88.65 (44.33 twice).
    assert "Energy, 22:00–06:00, 15 kWh ₹187.50" in page
    assert "Energy, 15 kWh ₹270" in page
    assert "GST ₹88.66" in page
    assert "₹581.16" in page


@pytest.mark.parametrize(
    "asked",
    [
        "kwh=-1",
        "kwh=99999999999",
        "minutes=0",
        "starts_at=0001-01-01T00:00",
        "starts_at=9999-12-31T23:59&minutes=1440",
        "starts_at=%00&kwh=NaN",
    ],
)
def test_a_preview_of_nonsense_is_a_page_without_a_price(staff, made, asked):
    answer = staff.get(f"{made}?{asked}")
    assert answer.status_code == 200
    assert "A driver pays" not in answer.text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"energy": ""}, "Write rupees"),
        ({"energy": "-1"}, "Write rupees"),
        ({"energy": "1e3"}, "Write rupees"),
        ({"energy": "१८"}, "Write rupees"),
        ({"name": " "}, "Give a name"),
        ({"name": "x" * 81}, "Give a name"),
        ({"from_1": "25:00"}, "Write a time"),
        ({"price_1": ""}, "Give from, until and price"),
        ({"grace": "99999"}, "between 0 and 1440"),
        ({"least": "3000"}, "Must not be below"),
        ({"operator_id": "999"}, "Not a valid choice"),
    ],
)
def test_what_makes_no_sense_is_answered(staff, place, database, changed, said):
    answer = staff.post("/admin/tariffs/new", data=form(place, **changed))

    assert answer.status_code == 422
    assert said in words(answer)
    with database.reading() as session:
        assert session.scalars(select(Tariff)).all() == []


def test_a_name_is_text_wherever_it_is_shown(staff, place):
    staff.post("/admin/tariffs/new", data=form(place, name="<script>x</script>"))
    assert "<script>x" not in staff.get("/admin/tariffs").text


def test_terms_may_be_written_as_json(staff, made, database):
    tiers = {
        "elements": [
            {
                "components": [{"type": "ENERGY", "price_paise": 1000}],
                "restrictions": {"max_wh": 10_000},
            },
            {"components": [{"type": "ENERGY", "price_paise": 2000}]},
        ]
    }
    sent = {"name": "Tiers", "version": "1", "terms": json.dumps(tiers)}

    assert staff.post(f"{made}/terms", data=sent).status_code == 303
    assert the_tariff(database).terms == tiers
    page = staff.get(made).text
    # What fields cannot say is not offered in fields, where it would be lost.
    assert "Keep prices" not in page
    assert "<details" in page


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"elements": []}', "elements"),
        ('{"elements": [{"components": [{"type": "X"}]}]}', "elements.0.components.0"),
        ("NaN", "Give an object"),
    ],
)
def test_json_that_is_no_tariff_is_refused_with_the_place(
    staff, made, database, text, said
):
    before = the_tariff(database).terms
    answer = staff.post(
        f"{made}/terms", data={"name": "X", "version": "1", "terms": text}
    )
    assert answer.status_code == 422
    assert said in words(answer)
    assert the_tariff(database).terms == before


@pytest.mark.parametrize(
    "path", ["", "/terms", "/activity", "/assignments", "/assignments/1/end"]
)
def test_the_tariffs_of_another_operator_are_not_found(
    made, place, sign_in, database, path
):
    with database.transaction() as session:
        other = make.an_operator(session, "Other Power")
    stranger = sign_in("operator", operator=other)

    if not path:
        assert stranger.get(made).status_code == 404
    assert stranger.post(made + path, data=form(place)).status_code == 404
    assert "Day and night" not in stranger.get("/admin/tariffs").text


def test_a_place_of_another_operator_cannot_be_chosen(staff, made, database):
    with database.transaction() as session:
        other = make.an_operator(session, "Other Power")
        location = make.a_location(session, operator=other)
        evse = make.an_evse(session, location=location)
        foreign = [f"location:{location.id}", f"evse:{evse.id}", "evse:0", "x"]
    for place in foreign:
        answer = staff.post(f"{made}/assignments", data={"place": place})
        assert answer.status_code == 422
    with database.reading() as session:
        assert session.scalars(select(TariffAssignment)).all() == []


def test_a_price_above_a_ceiling_is_kept_with_a_warning(staff, sign_in, made, database):
    with database.transaction() as session:
        session.add(
            PriceCeiling(
                current="DC",
                period="solar",
                paise_per_kwh=1_100,
                source="Guidelines 2024",
                updated_at=utc_now(),
            )
        )
    assert "₹18 per kWh as a whole" in words(staff.get(made))

    ceiling = "/admin/ceilings/DC/solar"
    sent = {"price": "20", "source": "A later order"}
    assert staff.post(ceiling, data=sent).status_code == 403
    assert sign_in("admin").post(ceiling, data=sent).status_code == 303
    assert "as a whole" not in words(staff.get(made))
    assert "A later order" in words(staff.get("/admin/ceilings"))


def test_a_ceiling_that_is_not_known_is_not_made(sign_in, database):
    sign_in("admin").post(
        "/admin/ceilings/XX/moon", data={"price": "1", "source": "me"}
    )
    with database.reading() as session:
        assert session.scalars(select(PriceCeiling)).all() == []


def test_the_location_says_its_price_in_words(staff, client, made, place):
    staff.post(f"{made}/assignments", data={"place": "all"})

    page = words(client.get(f"/locations/{place['location_id']}"))

    assert "₹12.50–18 per kWh + ₹5 a charge" in page
    assert "per started hour" not in page


def test_programs_are_told_the_price_in_words(staff, client, made, place):
    staff.post(f"{made}/assignments", data={"place": "all"})

    found = client.get(f"/api/v1/locations/{place['location_id']}").json

    assert found["evses"][0]["price"] == "₹12.50–18 per kWh + ₹5 a charge"


def test_only_the_ceilings_of_what_charges_there_are_told(staff, made, place, database):
    with database.transaction() as session:
        for current in ("AC", "DC"):
            session.add(
                PriceCeiling(
                    current=current,
                    period="other",
                    paise_per_kwh=1,
                    source="A test",
                    updated_at=utc_now(),
                )
            )
    before = words(staff.get(made))
    staff.post(f"{made}/assignments", data={"place": f"evse:{place['evse_id']}"})
    after = words(staff.get(made))

    # The plug of the tests is CCS2.
    assert "AC, before 09:00" in before
    assert "DC, before 09:00" in after
    assert "AC, before 09:00" not in after
