"""Tags of single deployments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; deployments that are there have none."""
    op.add_column("deployments", sa.Column("tags", sa.Text(), nullable=False, server_default="{}"))
