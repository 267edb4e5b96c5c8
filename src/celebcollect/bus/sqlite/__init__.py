"""The embedded log, in SQLite files."""
