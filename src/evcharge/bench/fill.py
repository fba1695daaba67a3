"""Puts a made-up world into a database, as fast as that database takes it."""

import sqlite3
from collections.abc import Iterable

from evcharge.bench.databases import path_of
from evcharge.bench.world import COLUMNS, Row, World


def fill(url: str, world: World) -> None:
    """Fill a database that has tables and nothing in them."""
    if url.startswith("sqlite"):
        _fill_sqlite(path_of(url), world)
    else:
        _fill_postgresql(url, world)


def _fill_sqlite(path: str, world: World) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    # If this is cut short, the file is thrown away.
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    for rows in world.batches():
        for table, values in rows.tables.items():
            connection.executemany(_insert(table), values)
    connection.execute("COMMIT")
    connection.close()


def _insert(table: str) -> str:
    columns = COLUMNS[table].split()
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608


def _fill_postgresql(url: str, world: World) -> None:
    import psycopg

    address = url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        # The world is sound by itself; looking up every foreign key took half the time.
        connection.execute("SET session_replication_role = 'replica'")
        with connection.transaction():
            for rows in world.batches():
                for table, values in rows.tables.items():
                    with connection.cursor().copy(_copy(table)) as copy:
                        copy.write(_lines(values))
        # Else autovacuum would do it in the midst of measuring.
        connection.execute("VACUUM ANALYZE")


def _copy(table: str) -> str:
    columns = ", ".join(COLUMNS[table].split())
    return f"COPY {table} ({columns}) FROM STDIN WITH (NULL 'None')"


def _lines(rows: Iterable[Row]) -> str:
    """Return rows in COPY's text format. What we make has no tabs or backslashes."""
    lines = ("\t".join(map(str, row)).replace("\n", "\\n") + "\n" for row in rows)
    return "".join(lines)
