"""The database itself: engines, transactions, migrations, locks."""
