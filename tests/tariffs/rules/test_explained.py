"""A tariff in plain words, before anybody pays."""

from evcharge.tariffs.rules import Terms
from evcharge.tariffs.rules.explained import explained
from evcharge.tariffs.rules.simple import Band, SimplePrices


def test_every_price_is_a_row_with_its_time_and_unit():
    prices = SimplePrices(
        energy_paise=1_200,
        electricity_paise=700,
        bands=(Band("09:00", "16:00", 950),),
        idle_paise_per_minute=200,
        idle_grace_minutes=10,
        start_paise=500,
        reservation_paise_per_hour=1_500,
        min_price_paise=2_000,
        max_price_paise=200_000,
        deposit_paise=30_000,
    )

    assert explained(prices.terms) == [
        ("Electricity", "₹7 per kWh"),
        ("Service, 09:00–16:00", "₹9.50 per kWh"),
        ("Service at other times", "₹12 per kWh"),
        ("Start", "₹5 once"),
        ("Standing after charging", "₹2 a minute, first 10 min free"),
        ("Reservation", "₹15 an hour"),
        ("At least", "₹20 a charge"),
        ("At most", "₹2,000 a charge"),
        ("Deposit at booking", "₹300"),
    ]


def test_what_can_never_apply_is_not_told():
    energy = {"components": [{"type": "ENERGY", "price_paise": 1_000}]}
    night = {"start_time": "22:00", "end_time": "06:00"}
    terms = Terms.from_json({"elements": [energy, energy | {"restrictions": night}]})

    assert explained(terms) == [("Energy", "₹10 per kWh")]
