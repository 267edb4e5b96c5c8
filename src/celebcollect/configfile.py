"""The configuration for programs of users: `docs/consumer.md` promises them this name."""

from __future__ import annotations

from pathlib import Path

from celebcollect.config import file
from celebcollect.config.tree import Config
from celebcollect.configuration import config_model


def load(path: Path | None = None) -> Config:
    """
    Read the configuration file, put the environment on top and check everything.

    Raises:
        ConfigError: A file that is missing or no TOML, an unknown key, a value of the wrong type or
            out of range.
    """
    return file.load(config_model(), path)
