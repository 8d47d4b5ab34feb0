"""Seals on a server's tables, too: triggers are made after every migration, and this is one."""

from __future__ import annotations

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing of the tables themselves changes."""


def downgrade() -> None:
    """Nothing of the tables themselves changes."""
