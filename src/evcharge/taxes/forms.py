"""What people type about registrations → what the rules speak of."""

from wtforms import Form, SelectField, StringField

from evcharge.accounts.forms import obeys
from evcharge.accounts.models import Operator
from evcharge.taxes.rules.gstin import read_gstin
from evcharge.taxes.rules.registrations import (
    Business,
    Registrant,
    address_from_text,
    legal_name_from_text,
)


class GstinForm(Form):
    gstin = StringField("GSTIN", [obeys(read_gstin)])
    legal_name = StringField("Legal name", [obeys(legal_name_from_text)])
    address = StringField("Address", [obeys(address_from_text)])

    @property
    def values(self) -> dict[str, str]:
        return {
            "gstin": read_gstin(self.gstin.data or ""),
            "legal_name": legal_name_from_text(self.legal_name.data or ""),
            "address": address_from_text(self.address.data or ""),
        }


class BusinessForm(GstinForm):
    @property
    def business(self) -> Business:
        return Business(**self.values)


class RegistrationForm(GstinForm):
    operator_id = SelectField("Operator", coerce=int)

    def offer(self, operators: list[Operator]) -> "RegistrationForm":
        """Name those whose GSTINs this person looks after."""
        self.operator_id.choices = [(each.id, each.name) for each in operators]
        return self

    @property
    def registrant(self) -> Registrant:
        return Registrant(**self.values)
