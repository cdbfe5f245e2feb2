"""Migrations that are run by themselves, and a second one that is made up."""

from __future__ import annotations

import shutil
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from ingestor.store.db.migrations import folder, schemas

SECOND = """
from alembic import op
import sqlalchemy as sa

revision = "9999"
down_revision = "{head}"


def upgrade():
    op.create_table("later", sa.Column("x", sa.Integer()))
    op.add_column("feeds", sa.Column("weight", sa.Integer(), server_default="1", nullable=False))
    {more}
"""


def head() -> str:
    """Return the schema that the last migration makes."""
    return schemas(folder())[-1]


def with_a_second(place: Path, more: str = "") -> Path:
    """Write the migrations of tomorrow's program, with one that there is not; return their folder."""
    scripts = place / "migrations"
    shutil.copytree(folder(), scripts)
    text = SECOND.format(head=head(), more=more)
    (scripts / "versions" / "9999_second.py").write_text(text, "utf-8")
    return scripts


def migrate(connection: Connection, last: str = "head") -> None:
    """Go through the migrations, beginning with the first one."""
    configuration = Config()
    configuration.set_main_option("script_location", str(folder()))
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, last)
