"""Databases as they were before there was a ledger, or one that lost an entry."""

from sqlalchemy import Connection, text

from evcharge.kernel.db import Database

_TABLES = ("tax_documents", "bills")


def forget_the_ledger(database: Database, *keys: str) -> None:
    """Take entries out behind its back: those with these keys, or all and all bills."""
    with database.engine.begin() as connection:
        without_triggers(connection, _delete, keys)
        if not keys:
            for table in _TABLES:
                connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608
            connection.execute(text("UPDATE checkout_items SET location_id = NULL"))


def change_the_ledger(database: Database, statement: str) -> None:
    """Run a statement that the ledger itself would refuse."""
    with database.engine.begin() as connection:
        without_triggers(
            connection, lambda connection, _: connection.execute(text(statement)), ()
        )


def without_triggers(connection: Connection, act, keys) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE ledger_entries DISABLE TRIGGER USER"))
        act(connection, keys)
        connection.execute(text("ALTER TABLE ledger_entries ENABLE TRIGGER USER"))
        return
    triggers = connection.execute(
        text(
            "SELECT name, sql FROM sqlite_master"
            " WHERE type = 'trigger' AND tbl_name = 'ledger_entries'"
        )
    ).all()
    for name, _ in triggers:
        connection.execute(text(f"DROP TRIGGER {name}"))
    act(connection, keys)
    for _, statement in triggers:
        connection.execute(text(statement))


def _delete(connection: Connection, keys) -> None:
    if not keys:
        connection.execute(text("DELETE FROM ledger_entries"))
    for key in keys:
        connection.execute(
            text("DELETE FROM ledger_entries WHERE key = :key"), {"key": key}
        )
