"""Alembic's entry: runs the migrations on the connection, and in the transaction, that `migrate.upgrade` opened."""

from alembic import context

from teller.cards.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
