"""Pages on which admins look after people and the operators they work for."""

from evcharge.accounts.admin import cards, operators, people
from evcharge.accounts.admin.blueprint import admin

__all__ = ["admin", "cards", "operators", "people"]
