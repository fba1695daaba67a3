"""docs/settings.md says what the program reads, no more and no less."""

import re
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from evcharge.kernel.settings import Settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"
# Said in words: none at all, or worked out from another setting.
IN_WORDS = {"secret_key", "database_url", "unknown_chargers"}


def entries() -> dict[str, str]:
    """What is said about each setting."""
    parts = re.split(r"^### `EVCHARGE_(\w+)`$", DOCUMENT.read_text(), flags=re.M)
    return {name.lower(): text for name, text in zip(parts[1::2], parts[2::2])}  # noqa: B905


def spelled(default: Any) -> str:
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if default is None:
        return "by the database"
    if isinstance(default, bool):
        return "`on`" if default else "`off`"
    return f"`{default}`" if default != "" else "empty"


def limits(field: FieldInfo) -> list[str]:
    return [
        str(value)
        for rule in field.metadata
        for value in (getattr(rule, "ge", None), getattr(rule, "le", None))
        if value is not None
    ]


def test_every_setting_is_documented_and_nothing_else() -> None:
    assert set(entries()) == set(Settings.model_fields)


def test_defaults_are_the_documented_ones() -> None:
    for name, field in Settings.model_fields.items():
        if name not in IN_WORDS:
            assert re.search(rf"Default:? {spelled(field.default)}", entries()[name]), (
                name
            )


def test_limits_are_the_documented_ones() -> None:
    for name, field in Settings.model_fields.items():
        if limits(field) and name != "port":  # Everybody knows those of ports.
            lowest, highest = limits(field)
            assert f"{lowest} to {highest}" in entries()[name], name
