"""Pages on which admins look after people and the operators they work for."""

from evcharge.accounts.admin import operators, people
from evcharge.accounts.admin.blueprint import admin

__all__ = ["admin", "operators", "people"]
