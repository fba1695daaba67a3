"""Which plugs the vehicles on Indian roads charge with."""

from enum import StrEnum

from evcharge.stations.rules import ConnectorKind as Kind


class VehicleKind(StrEnum):
    TWO_WHEELER = "two_wheeler"
    THREE_WHEELER = "three_wheeler"
    FOUR_WHEELER = "four_wheeler"
    BUS_TRUCK = "bus_truck"


_LIGHT = {Kind.LEV_AC, Kind.LEV_DC, Kind.LEV_COMBO, Kind.SOCKET_16A, Kind.BHARAT_AC_001}
# IS 17017 has light vehicles charge through plugs of their own; Bharat DC-001 is for
# vehicles of up to 100 V, which three-wheelers and the first electric cars are.
PLUGS: dict[VehicleKind, frozenset[Kind]] = {
    VehicleKind.TWO_WHEELER: frozenset(_LIGHT),
    VehicleKind.THREE_WHEELER: frozenset(_LIGHT | {Kind.BHARAT_DC_001}),
    VehicleKind.FOUR_WHEELER: frozenset(
        set(Kind) - {Kind.LEV_AC, Kind.LEV_DC, Kind.LEV_COMBO}
    ),
    VehicleKind.BUS_TRUCK: frozenset({Kind.CCS2, Kind.GBT_DC, Kind.TYPE2}),
}


def plugs_for(
    vehicle: VehicleKind | None, wanted: frozenset[Kind]
) -> frozenset[Kind] | None:
    """Return which plugs will do; empty: any; None: none of those that are wanted."""
    if vehicle is None:
        return wanted
    return (PLUGS[vehicle] & wanted if wanted else PLUGS[vehicle]) or None
