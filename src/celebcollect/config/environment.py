"""How environment variables of ours are named. Imports nothing: help texts name some of them."""

ENV_PREFIX, ENV_DELIMITER = "CELEBCOLLECT_", "__"


def variable(section: str, key: str) -> str:
    """Return the name of the variable that overrides a key."""
    return f"{ENV_PREFIX}{section.upper()}{ENV_DELIMITER}{key.upper()}"
