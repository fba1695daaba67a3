"""What charging costs. Plain Python: no database, no clock of its own."""

from evcharge.tariffs.rules.cost import Cost, CostLine, cost_of, line_label
from evcharge.tariffs.rules.stretches import Reading, Usage
from evcharge.tariffs.rules.terms import (
    Component,
    ComponentType,
    Element,
    Part,
    Restrictions,
    Terms,
    TermsInvalid,
)

__all__ = [
    "Component",
    "ComponentType",
    "Cost",
    "CostLine",
    "Element",
    "Part",
    "Reading",
    "Restrictions",
    "Terms",
    "TermsInvalid",
    "Usage",
    "cost_of",
    "line_label",
]
