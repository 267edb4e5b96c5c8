"""The embedded catalogue, in one SQLite file."""
