"""Inference clusters, where an endpoint is, shadow traffic and tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add what is new; every endpoint that is there already is on the default cluster."""
    op.create_table(
        "clusters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cpu_cores", sa.Double(), nullable=True),
        sa.Column("memory_gb", sa.Double(), nullable=True),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name_key", name=op.f("pk_clusters")),
    )
    op.add_column(
        "endpoints", sa.Column("cluster", sa.Text(), nullable=False, server_default="default")
    )
    op.add_column("endpoints", sa.Column("owner", sa.Text(), nullable=True))
    op.add_column("endpoints", sa.Column("signing_key", sa.Text(), nullable=True))
    op.add_column(
        "deployments", sa.Column("shadow", sa.Integer(), nullable=False, server_default="0")
    )
