"""Alembic's entry: runs the migrations on the connection that the program hands over."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    # The program's transaction is the one that commits: schema and record together.
    transactional_ddl=False,
)
context.run_migrations()
