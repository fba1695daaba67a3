"""GST on charging: which rate, which halves, rounded where. Plain Python.

Charging an electric vehicle is a service, SAC 998714, at 18 % (DESIGN of this product,
section 5, names its sources; an accountant must confirm before anyone goes live).
"""

from dataclasses import dataclass
from decimal import Decimal

from evcharge.kernel.money import round_to_paise

GST_PERCENT = 18
SAC = "998714"


@dataclass(frozen=True)
class Treatment:
    """How a supply is taxed. `percent` 0: its supplier is not registered.

    `is_within_state`: the place of supply is in the supplier's state, so the tax is
    CGST and SGST in equal halves; else it is IGST.
    """

    percent: int = 0
    is_within_state: bool = True


UNTAXED = Treatment()


@dataclass(frozen=True)
class Taxed:
    """An amount with its tax, all in paise.

    `net + cgst + sgst + igst + rounding = total`. `rounding` is -1, 0 or 1, and only
    where a price with tax in it does not divide into equal halves.
    """

    net_paise: int
    cgst_paise: int
    sgst_paise: int
    igst_paise: int
    rounding_paise: int
    total_paise: int

    @property
    def tax_paise(self) -> int:
        return self.cgst_paise + self.sgst_paise + self.igst_paise


def add_tax(net_paise: int, treatment: Treatment) -> Taxed:
    """Tax a price without tax; each kind of tax is rounded half up to the paisa."""
    cgst, sgst, igst = _taxes(net_paise, treatment)
    return Taxed(net_paise, cgst, sgst, igst, 0, net_paise + cgst + sgst + igst)


def take_tax_out(total_paise: int, treatment: Treatment) -> Taxed:
    """Find the tax within a price that has it in it; the total stays as it is."""
    net = round_to_paise(Decimal(total_paise) * 100 / (100 + treatment.percent))
    cgst, sgst, igst = _taxes(net, treatment)
    rounding = total_paise - net - cgst - sgst - igst
    return Taxed(net, cgst, sgst, igst, rounding, total_paise)


def _taxes(net_paise: int, treatment: Treatment) -> tuple[int, int, int]:
    """Return CGST, SGST and IGST."""
    if treatment.is_within_state:
        half = round_to_paise(Decimal(net_paise) * treatment.percent / 200)
        return half, half, 0
    return 0, 0, round_to_paise(Decimal(net_paise) * treatment.percent / 100)
