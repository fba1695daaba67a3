"""What people type about themselves → what the rules speak of."""

import re
from collections.abc import Callable
from datetime import timedelta

from werkzeug.datastructures import MultiDict
from wtforms import (
    EmailField,
    Field,
    Form,
    PasswordField,
    SelectField,
    StringField,
    TelField,
)

# Its stubs are older than itself.
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import ValidationError

from evcharge.accounts.rules import (
    OperatorNotFound,
    Profile,
    Role,
    UnknownRole,
    UserFilter,
    UserStatus,
    email_from_text,
    name_from_text,
    operator_name_from_text,
    phone_from_text,
    search_text,
    support_phone_from_text,
)
from evcharge.accounts.rules.cards import label_from_text, uid_from_text
from evcharge.accounts.rules.passwords import LONGEST_PASSWORD, check_password
from evcharge.accounts.rules.tokens import token_name
from evcharge.kernel.errors import InvalidInput

TOKEN_DAYS = ("7", "30", "90", "365")
SHORT_NUMBER = re.compile(r"[0-9]{1,9}")

Rule = Callable[[str], object]


def obeys(rule: Rule) -> Callable[[Form, Field], None]:
    """A validator that shows at its field what a rule has against it."""

    def check(_form: Form, field: Field) -> None:
        try:
            rule(field.data or "")
        except InvalidInput as refusal:
            raise ValidationError(refusal.message) from None

    return check


def typed(what: str) -> Callable[[Form, Field], None]:
    """A validator for a password that is compared, not chosen."""

    def check(_form: Form, field: Field) -> None:
        if not field.data:
            raise ValidationError(f"Type your {what}.")
        if len(field.data) > LONGEST_PASSWORD:
            raise ValidationError(f"Use at most {LONGEST_PASSWORD} characters.")

    return check


class ProfileForm(Form):
    name = StringField("Name", [obeys(name_from_text)])
    phone = TelField("Mobile number", [obeys(phone_from_text)])

    @property
    def clean_name(self) -> str:
        return name_from_text(self.name.data or "")

    @property
    def phone_number(self) -> str | None:
        return phone_from_text(self.phone.data or "")


class SignUpForm(ProfileForm):
    email = EmailField("E-mail", [obeys(email_from_text)])
    password = PasswordField("Password")

    def validate_password(self, field: Field) -> None:
        obeys(lambda chosen: check_password(chosen, email=self.email.data or ""))(
            self, field
        )

    @property
    def profile(self) -> Profile:
        return Profile(
            name=self.clean_name,
            email=email_from_text(self.email.data or ""),
            phone=self.phone_number,
        )


class LoginForm(Form):
    email = EmailField("E-mail")
    password = PasswordField("Password", [typed("password")])

    def validate_email(self, field: Field) -> None:
        if not (field.data or "").strip():
            raise ValidationError("Type your e-mail address.")


class PasswordForm(Form):
    present = PasswordField("Present password", [typed("present password")])
    new = PasswordField("New password")

    def __init__(
        self, formdata: MultiDict[str, str] | None = None, *, email: str
    ) -> None:
        super().__init__(formdata)
        self._email = email

    def validate_new(self, field: Field) -> None:
        obeys(lambda chosen: check_password(chosen, email=self._email))(self, field)


class LeaveForm(Form):
    present = PasswordField("Password", [typed("password")])


class TokenForm(Form):
    name = StringField("Name", [obeys(token_name)])
    days = SelectField(
        "Valid for",
        choices=[SelectChoice(days, f"{days} days") for days in TOKEN_DAYS],
        default="30",
        validate_choice=False,
    )
    present = PasswordField("Your password", [typed("password")])

    def validate_days(self, field: Field) -> None:
        if field.data not in TOKEN_DAYS:
            raise ValidationError("Choose how long the token is valid.")

    @property
    def clean_name(self) -> str:
        return token_name(self.name.data or "")

    @property
    def lifetime(self) -> timedelta:
        return timedelta(days=int(self.days.data))


class OperatorForm(Form):
    name = StringField("Name", [obeys(operator_name_from_text)])
    phone = TelField("Support number", [obeys(support_phone_from_text)])

    @property
    def clean_name(self) -> str:
        return operator_name_from_text(self.name.data or "")

    @property
    def phone_number(self) -> str | None:
        return support_phone_from_text(self.phone.data or "")


class CardForm(Form):
    uid = StringField("Card's number", [obeys(uid_from_text)])
    label = StringField("What it is called")

    @property
    def clean_uid(self) -> str:
        return uid_from_text(self.uid.data or "")

    @property
    def clean_label(self) -> str:
        return label_from_text(self.label.data or "")


class MemberForm(Form):
    email = EmailField("E-mail", [obeys(email_from_text)])

    @property
    def address(self) -> str:
        return email_from_text(self.email.data or "")


def refuse(field: Field, refusal: InvalidInput | Exception) -> None:
    """Show at a field what only the database could tell."""
    field.errors = [str(refusal)]


def user_filter(text: str | None, role: str | None, status: str | None) -> UserFilter:
    """Read the filters of a link; what means nothing filters nothing."""
    return UserFilter(
        text=search_text(text or ""),
        role=Role(role) if role in set(Role) else None,
        status=UserStatus(status) if status in set(UserStatus) else None,
    )


def role_from_form(form: MultiDict[str, str]) -> Role:
    """Raises: UnknownRole."""
    try:
        return Role(form.get("role", ""))
    except ValueError:
        raise UnknownRole from None


def operator_id_from_form(form: MultiDict[str, str]) -> int:
    """Raises: OperatorNotFound."""
    operator_id = form.get("operator_id", "")
    if not SHORT_NUMBER.fullmatch(operator_id):
        raise OperatorNotFound
    return int(operator_id)
