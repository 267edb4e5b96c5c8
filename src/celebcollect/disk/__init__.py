"""The disk: files that appear whole, locks between processes, SQLite files. It knows no records."""
