"""The store: SQL tables, engine, migrations, bulk transfer and the registry of runs."""
