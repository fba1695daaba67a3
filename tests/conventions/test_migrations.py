import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask_migrate import downgrade, upgrade
from sqlalchemy import CheckConstraint, inspect

from evcharge.app import create_app
from evcharge.wiring import metadata


@pytest.fixture
def in_app(empty, new_settings):
    url = empty.engine.url.render_as_string(hide_password=False)
    with create_app(new_settings(database_url=url), empty).app_context():
        yield empty


def keys(inspector):
    """Return the primary key columns of each table; Alembic does not compare them."""
    tables = set(inspector.get_table_names()) - {"alembic_version"}
    return {
        name: set(inspector.get_pk_constraint(name)["constrained_columns"])
        for name in tables
    }


def checks(inspector):
    """Return the names of the check constraints; Alembic does not compare them."""
    return {
        constraint["name"]
        for name in inspector.get_table_names()
        for constraint in inspector.get_check_constraints(name)
    }


def declared_checks():
    return {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }


def test_migrations_lead_to_exactly_the_tables_the_code_declares(in_app):
    upgrade()

    with in_app.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert keys(inspect(connection)) == {
            name: set(table.primary_key.columns.keys())
            for name, table in metadata.tables.items()
        }
        assert checks(inspect(connection)) == declared_checks()


def test_every_migration_can_be_undone(in_app):
    upgrade()
    downgrade(revision="base")

    with in_app.engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
