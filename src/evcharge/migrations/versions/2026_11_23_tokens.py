"""A login may be a program's: it is then known by a token instead of a cookie."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_23_tokens"
down_revision = "2026_11_23_operator_names"


def upgrade() -> None:
    op.add_column("logins", sa.Column("token_hash", sa.String(64), nullable=True))
    op.create_index("ix_logins_token_hash", "logins", ["token_hash"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_logins_token_hash", "logins")
    op.drop_column("logins", "token_hash")
