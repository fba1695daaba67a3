"""An operator's name is unique whatever its case."""

from unicodedata import normalize

import sqlalchemy as sa
from alembic import op

revision = "2026_11_23_operator_names"
down_revision = "2026_11_23"

OPERATORS = sa.table(
    "operators", sa.column("id"), sa.column("name"), sa.column("name_key")
)


def upgrade() -> None:
    key = sa.Column("name_key", sa.String(120), nullable=False, server_default="")
    op.add_column("operators", key)
    connection = op.get_bind()
    known = sa.select(OPERATORS.c.id, OPERATORS.c.name)
    for operator_id, name in connection.execute(known).all():
        connection.execute(
            OPERATORS.update()
            .where(OPERATORS.c.id == operator_id)
            .values(name_key=normalize("NFC", name.casefold()))
        )
    op.create_index("ix_operators_name_key", "operators", ["name_key"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_operators_name_key", "operators")
    op.drop_column("operators", "name_key")
