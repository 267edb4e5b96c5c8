"""Where people and picture URLs come from."""
