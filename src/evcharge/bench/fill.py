"""Puts a made-up world into databases, as fast as each of them takes it."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol

from evcharge.bench.databases import path_of
from evcharge.bench.world import COLUMNS, Row, Rows


class Source(Protocol):
    """What a database is filled with, a part at a time."""

    def batches(self) -> Iterator[Rows]: ...


Save = Callable[[str, Iterable[Row]], None]  # Rows of a table.


def fill(urls: Iterable[str], source: Source) -> None:
    """Fill databases that have tables and nothing in them."""
    with ExitStack() as stack:
        saves = [stack.enter_context(_saving(url)) for url in urls]
        for rows in source.batches():
            for table, values in rows.tables.items():
                for save in saves:
                    save(table, values)


def _saving(url: str) -> AbstractContextManager[Save]:
    return _into_sqlite(url) if url.startswith("sqlite") else _into_postgresql(url)


@contextmanager
def _into_sqlite(url: str) -> Iterator[Save]:
    connection = sqlite3.connect(path_of(url), isolation_level=None)
    # If this is cut short, the file is thrown away.
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")

    def save(table: str, rows: Iterable[Row]) -> None:
        connection.executemany(_insert(table), rows)

    yield save
    connection.execute("COMMIT")
    connection.close()


@contextmanager
def _into_postgresql(url: str) -> Iterator[Save]:
    import psycopg

    address = url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        # The world is sound by itself; looking up every foreign key took half the time.
        connection.execute("SET session_replication_role = 'replica'")

        def save(table: str, rows: Iterable[Row]) -> None:
            with connection.cursor().copy(_copy(table)) as copy:
                copy.write(_lines(rows))

        with connection.transaction():
            yield save
        # Else autovacuum would do it in the midst of measuring.
        connection.execute("VACUUM ANALYZE")


def _insert(table: str) -> str:
    columns = COLUMNS[table].split()
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608


def _copy(table: str) -> str:
    columns = ", ".join(COLUMNS[table].split())
    return f"COPY {table} ({columns}) FROM STDIN WITH (NULL 'None')"


def _lines(rows: Iterable[Row]) -> str:
    """Return rows in COPY's text format. What we make has no tabs or backslashes."""
    lines = ("\t".join(map(str, row)).replace("\n", "\\n") + "\n" for row in rows)
    return "".join(lines)
