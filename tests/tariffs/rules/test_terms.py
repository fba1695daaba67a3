import pytest

from evcharge.tariffs.rules import Terms, TermsInvalid


def one(**restrictions: object) -> dict[str, object]:
    component = {"type": "ENERGY", "price_paise": 1000}
    return {"elements": [{"components": [component], "restrictions": restrictions}]}


@pytest.mark.parametrize(
    "value", ["09+01", "0900Z", "T0900", "9:00", "24:00", "09:60", "०९:००", 900, ""]
)
def test_a_time_is_hours_and_minutes(value: object) -> None:
    with pytest.raises(TermsInvalid) as refused:
        Terms.from_json(one(start_time=value))
    assert refused.value.details["field"] == "elements.0.restrictions.start_time"


@pytest.mark.parametrize(
    "value", ["2026-W01-1", "2026-02-30", "20260101xx", "2026-1-01", 20260101]
)
def test_a_date_is_year_month_and_day(value: object) -> None:
    with pytest.raises(TermsInvalid, match=r"start_date"):
        Terms.from_json(one(start_date=value))


def test_restrictions_are_an_object() -> None:
    data = {"elements": [{"components": one()["elements"][0]["components"]}]}  # type: ignore[index]
    data["elements"][0]["restrictions"] = []  # type: ignore[assignment]
    with pytest.raises(TermsInvalid, match="Give an object"):
        Terms.from_json(data)


def test_a_type_is_given_once_in_an_element() -> None:
    component = {"type": "TIME", "price_paise": 1}
    with pytest.raises(TermsInvalid, match="once"):
        Terms.from_json({"elements": [{"components": [component, component]}]})


def test_a_whole_price_beside_its_parts_would_count_twice() -> None:
    whole = {"type": "ENERGY", "price_paise": 1}
    part = whole | {"part": "service"}
    with pytest.raises(TermsInvalid, match="not both"):
        Terms.from_json({"elements": [{"components": [whole, part]}]})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("price_paise", -1),
        ("price_paise", 1.5),
        ("price_paise", True),
        ("price_paise", float("nan")),
        ("price_paise", 10_000_001),
        ("price_paise", None),
        ("step_size", 0),
        ("type", "energy"),
        ("type", []),
        ("part", "tip"),
        ("colour", "red"),
    ],
)
def test_what_a_component_cannot_be_is_named(name: str, value: object) -> None:
    component = {"type": "ENERGY", "price_paise": 1000} | {name: value}
    with pytest.raises(TermsInvalid) as refused:
        Terms.from_json({"elements": [{"components": [component]}]})
    assert refused.value.details["field"] == f"elements.0.components.0.{name}"


@pytest.mark.parametrize("data", [None, [], {}, {"elements": []}, "x", {"a": 1}])
def test_a_tariff_has_elements(data: object) -> None:
    with pytest.raises(TermsInvalid):
        Terms.from_json(data)


def test_a_tariff_has_at_most_so_many_elements() -> None:
    element = one()["elements"][0]  # type: ignore[index]
    with pytest.raises(TermsInvalid, match="at most 50"):
        Terms.from_json({"elements": [element] * 51})
