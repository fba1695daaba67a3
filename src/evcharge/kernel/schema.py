"""Is the database at the version of its tables that this program was written for?"""

from functools import cache
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from evcharge.kernel.db import Database

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def is_current(database: Database) -> bool:
    """Return whether every migration has run, and none that we do not know."""
    with database.engine.connect() as connection:
        heads = MigrationContext.configure(connection).get_current_heads()
    return set(heads) == newest_versions()


@cache
def newest_versions() -> frozenset[str]:
    return frozenset(ScriptDirectory(str(MIGRATIONS)).get_heads())
