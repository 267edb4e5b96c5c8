"""The configuration: its sections, and the file and environment that they are read from."""
