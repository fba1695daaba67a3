import re

import pytest
from sqlalchemy import select

import make
from console import a_world
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.rules import ConnectorKind, Lifecycle, ReportedStatus


@pytest.fixture
def world(database):
    return a_world(database)


@pytest.fixture
def staff(database, sign_in, world):
    with database.transaction() as session:
        operator = make.an_operator(session)
    return sign_in("operator", operator=operator)


def error_at(answer, field):
    found = re.search(f'id="{field}-error">(.*?)</p>', answer.text, re.DOTALL)
    return re.sub(r"<[^>]*>", "", found[1]).strip() if found else None


def version_in(client, url):
    return re.search(r'name="version"[^>]*value="(\d+)"', client.get(url).text)[1]


# ── the list ─────────────────────────────────────────────────────────────────────


def test_chargers_are_filtered_by_what_is_wrong_with_them(database, staff, world):
    with database.transaction() as session:
        site = session.get_one(Location, world.location_id)
        make.an_evse(session, location=site, identity="SILENT", seen_at=None)
        make.an_evse(
            session,
            location=site,
            identity="BROKEN",
            reported=ReportedStatus.FAULTED,
            seen_at=session.get_one(Charger, world.charger_id).last_seen_at,
        )

    everything = staff.get("/admin/chargers").text
    broken = staff.get("/admin/chargers?status=out_of_order").text
    silent = staff.get("/admin/chargers?status=unknown").text

    assert ">SILENT</a>" in everything
    assert ">BROKEN</a>" in everything
    assert ">BROKEN</a>" in broken
    assert ">SILENT</a>" not in broken
    assert ">SILENT</a>" in silent
    assert ">BROKEN</a>" not in silent


def test_chargers_are_found_by_identity_and_by_town(database, staff, world):
    with database.reading() as session:
        identity = session.get_one(Charger, world.charger_id).identity

    assert f">{identity}</a>" in staff.get(f"/admin/chargers?q={identity}").text
    assert f">{identity}</a>" in staff.get("/admin/chargers?q=bengaluru").text
    assert "No charger fits." in staff.get("/admin/chargers?q=chennai").text


def test_filters_that_mean_nothing_filter_nothing(staff):
    url = "/admin/chargers?status=sleeping&location=x&page=x&q=&status=unknown"

    assert staff.get(url).status_code == 200
    assert staff.get(f"/admin/chargers?location={9 * 10**30}").status_code == 200


# ── chargers ─────────────────────────────────────────────────────────────────────


def test_a_charger_is_added_with_a_point_and_a_plug(database, staff, world):
    added = staff.post(
        f"/admin/locations/{world.location_id}/chargers/new",
        data={"identity": "NEW-1", "vendor": "Nilgiri", "heartbeat_seconds": "60"},
    )
    charger_id = int(added.location.rsplit("/", 1)[1])
    point = staff.post(
        f"/admin/chargers/{charger_id}/evses/new",
        data={"number": "1", "price": "1,250.50", "kind": "ccs2", "power_kw": "7.4"},
    )

    assert (added.status_code, point.status_code) == (303, 303)
    with database.reading() as session:
        evse = session.scalars(select(Evse).where(Evse.charger_id == charger_id)).one()
        assert evse.booking_price_paise == 125_050
        assert evse.lifecycle == Lifecycle.ACTIVE
        assert [(plug.kind, plug.power_w) for plug in evse.connectors] == [
            (ConnectorKind.CCS2, 7_400)
        ]
    assert "NEW-1" in staff.get(f"/admin/chargers/{charger_id}").text


IMPOSSIBLE_CHARGERS = [
    ("identity", ""),
    ("identity", "a b"),
    ("identity", "x" * 10_000),
    ("identity", "a\0"),
    ("vendor", "x" * 51),
    ("heartbeat_seconds", "-1"),
    ("heartbeat_seconds", "NaN"),
    ("heartbeat_seconds", "9" * 9_000),
    ("heartbeat_seconds", "१२३"),
]


def test_a_charger_that_cannot_be_is_refused_at_its_field(staff, world):
    url = f"/admin/locations/{world.location_id}/chargers/new"
    for field, text in IMPOSSIBLE_CHARGERS:
        fields = {"identity": "NEW-1", "heartbeat_seconds": "60"} | {field: text}

        answer = staff.post(url, data=fields)

        assert answer.status_code == 422, (field, text[:20])
        assert error_at(answer, field), (field, text[:20])


def test_two_chargers_do_not_share_an_identity(database, staff, world):
    with database.transaction() as session:
        make.an_evse(session, identity="TAKEN")
    fields = {"identity": "TAKEN", "heartbeat_seconds": "60"}
    edit = f"/admin/chargers/{world.charger_id}/edit"
    version = version_in(staff, edit)

    added = staff.post(
        f"/admin/locations/{world.location_id}/chargers/new", data=fields
    )
    renamed = staff.post(edit, data=fields | {"version": version})

    for answer in (added, renamed):
        assert answer.status_code == 409
        assert error_at(answer, "identity") == (
            "Another charger already has this identity."
        )


def test_a_charger_is_edited_unless_someone_else_did_meanwhile(database, staff, world):
    edit = f"/admin/chargers/{world.charger_id}/edit"
    fields = {"identity": "RENAMED", "heartbeat_seconds": "120"}
    fields["version"] = version_in(staff, edit)

    first = staff.post(edit, data=fields)
    second = staff.post(edit, data=fields | {"identity": "AGAIN"})

    assert (first.status_code, second.status_code) == (303, 409)
    assert error_at(second, "identity") == "Now it says: RENAMED"
    with database.reading() as session:
        assert session.get_one(Charger, world.charger_id).identity == "RENAMED"


# ── charging points ──────────────────────────────────────────────────────────────


IMPOSSIBLE_POINTS = [
    ("number", "0"),
    ("number", "9" * 9_000),
    ("number", "1.5"),
    ("price", "-5"),
    ("price", "NaN"),
    ("price", "1e3"),
    ("price", "0.001"),
    ("price", "9" * 30),
    ("price", ""),
    ("kind", "steam"),
    ("kind", ""),
    ("power_kw", "0"),
    ("power_kw", "Infinity"),
    ("power_kw", "\0"),
]


def test_a_point_that_cannot_be_is_refused_at_its_field(staff, world):
    url = f"/admin/chargers/{world.charger_id}/evses/new"
    fields = {"number": "2", "price": "90", "kind": "type2", "power_kw": "22"}
    for field, text in IMPOSSIBLE_POINTS:
        answer = staff.post(url, data=fields | {field: text})

        assert answer.status_code == 422, (field, text[:20])
        assert error_at(answer, field), (field, text[:20])


def test_all_that_is_wrong_with_a_point_is_said_at_once(staff, world):
    answer = staff.post(f"/admin/chargers/{world.charger_id}/evses/new", data={})

    assert all(
        error_at(answer, field) for field in ("number", "price", "kind", "power_kw")
    )


def test_two_points_do_not_share_a_number(staff, world):
    fields = {"number": "1", "price": "90", "kind": "type2", "power_kw": "22"}

    answer = staff.post(f"/admin/chargers/{world.charger_id}/evses/new", data=fields)

    assert answer.status_code == 409
    assert "already in use" in error_at(answer, "number")


def test_a_new_price_is_for_new_bookings(database, staff, world):
    edit = f"/admin/evses/{world.evse_id}/edit"
    before = world.desk.read(world.booking_id).amount_paise

    answer = staff.post(
        edit, data={"number": "1", "price": "75", "version": version_in(staff, edit)}
    )

    assert answer.status_code == 303
    with database.reading() as session:
        assert session.get_one(Evse, world.evse_id).booking_price_paise == 7_500
    assert world.desk.read(world.booking_id).amount_paise == before


def test_a_point_edited_meanwhile_is_not_overwritten(staff, world):
    edit = f"/admin/evses/{world.evse_id}/edit"
    fields = {"number": "1", "price": "75", "version": version_in(staff, edit)}
    staff.post(edit, data=fields)

    answer = staff.post(edit, data=fields | {"price": "80"})

    assert answer.status_code == 409
    assert error_at(answer, "price") == "Now it says: 75"


# ── plugs ────────────────────────────────────────────────────────────────────────


def plugs(database, evse_id):
    with database.reading() as session:
        rows = session.scalars(
            select(Connector)
            .where(Connector.evse_id == evse_id)
            .order_by(Connector.number)
        )
        return [(plug.number, plug.kind.value, plug.power_w) for plug in rows]


def test_plugs_are_added_changed_and_removed(database, staff, world):
    base = f"/admin/evses/{world.evse_id}/connectors"
    edit = f"{base}/{world.connector_id}/edit"

    def send(url, **fields):
        version = version_in(staff, f"{base}/new")
        return staff.post(url, data=fields | {"version": version}).status_code

    assert send(f"{base}/new", number="2", kind="type2", power_kw="22") == 303
    assert send(edit, number="1", kind="chademo", power_kw="50") == 303
    assert plugs(database, world.evse_id) == [
        (1, "chademo", 50_000),
        (2, "type2", 22_000),
    ]
    assert send(f"{base}/{world.connector_id}/remove") == 303
    assert plugs(database, world.evse_id) == [(2, "type2", 22_000)]


def test_the_last_plug_stays(database, staff, world):
    base = f"/admin/evses/{world.evse_id}/connectors"
    version = version_in(staff, f"{base}/new")

    answer = staff.post(
        f"{base}/{world.connector_id}/remove", data={"version": version}
    )

    assert answer.status_code == 409
    assert "the only plug" in answer.text
    assert len(plugs(database, world.evse_id)) == 1


def test_a_plug_of_another_point_is_not_found(database, staff, world):
    with database.transaction() as session:
        other = make.an_evse(session).connectors[0].id

    url = f"/admin/evses/{world.evse_id}/connectors/{other}/edit"

    assert staff.get(url).status_code == 404


def test_a_plug_number_is_used_once(staff, world):
    base = f"/admin/evses/{world.evse_id}/connectors"
    fields = {"number": "1", "kind": "type2", "power_kw": "22"}
    fields["version"] = version_in(staff, f"{base}/new")

    answer = staff.post(f"{base}/new", data=fields)

    assert answer.status_code == 409
    assert "already in use" in error_at(answer, "number")


def test_plugs_changed_meanwhile_are_not_overwritten(staff, world):
    base = f"/admin/evses/{world.evse_id}/connectors"
    fields = {"kind": "type2", "power_kw": "22"}
    fields["version"] = version_in(staff, f"{base}/new")
    staff.post(f"{base}/new", data=fields | {"number": "2"})

    answer = staff.post(f"{base}/new", data=fields | {"number": "3"})

    assert answer.status_code == 409
    assert "Someone else changed this" in answer.text


# ── as a file ────────────────────────────────────────────────────────────────────


def test_the_file_has_the_chargers_of_the_filtered_list(database, staff, world):
    with database.transaction() as session:
        site = session.get_one(Location, world.location_id)
        make.an_evse(session, location=site, identity="-MUTE", seen_at=None)

    everything = staff.get("/admin/chargers.csv").get_data(as_text=True)
    silent = staff.get("/admin/chargers.csv?status=unknown").get_data(as_text=True)

    assert len(everything.splitlines()) == 3
    assert len(silent.splitlines()) == 2
    assert ",'-MUTE," in silent
