"""The rows of `make bench`, by the name that `--only` takes."""

from collections.abc import Callable

from evcharge.bench.lab import Lab
from evcharge.bench.results import Result
from evcharge.bench.rows.booking import booking
from evcharge.bench.rows.location import location
from evcharge.bench.rows.memory import memory
from evcharge.bench.rows.ocpp import ocpp_meter, ocpp_status
from evcharge.bench.rows.ocpp_live import ocpp_live
from evcharge.bench.rows.ocpp_many import ocpp_idle, ocpp_storm
from evcharge.bench.rows.prototype import prototype
from evcharge.bench.rows.race import race
from evcharge.bench.rows.search import search
from evcharge.bench.rows.start import start

Row = Callable[[Lab], Result]

ROWS: dict[str, Row] = {
    "booking": booking,
    "race": race,
    "search": search,
    "location": location,
    "start": start,
    "memory": memory,
    "prototype": prototype,
    "ocpp_status": ocpp_status,
    "ocpp_meter": ocpp_meter,
    "ocpp_idle": ocpp_idle,
    "ocpp_storm": ocpp_storm,
    "ocpp_live": ocpp_live,
}
