"""What the house rules are checked against."""

from collections.abc import Iterator

import pytest
from flask import Flask

from evcharge.app import create_app
from evcharge.kernel.db import Database
from evcharge.kernel.settings import read_settings

SECRET = "only-for-tests-0123456789-abcdefgh"


@pytest.fixture(scope="session")
def app_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The web program on an empty database, for whoever asks it nothing."""
    folder = tmp_path_factory.mktemp("once")
    database = Database(f"sqlite:///{folder}/evcharge.db")
    settings = read_settings(secret_key=SECRET, data_dir=folder, demo=True)
    yield create_app(settings, database)
    database.engine.dispose()
