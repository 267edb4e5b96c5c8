"""Read the configuration: one TOML file, and `CELEBCOLLECT_<SECTION>__<KEY>` above it.

Every key has a default, so an absent file is fine.
"""

from __future__ import annotations

import json
import logging
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import ValidationError
from pydantic_settings import SettingsError

from celebcollect.config.environment import ENV_DELIMITER, ENV_PREFIX
from celebcollect.config.fields import Section
from celebcollect.config.tree import Config, environment_of
from celebcollect.domain.errors import ConfigError

log = logging.getLogger(__name__)

_ALL_KEYS = "`celebcollect init FILE` writes a file that names every key."

ENV_FILE = f"{ENV_PREFIX}CONFIG"


def find_file(path: Path | None = None) -> Path | None:
    """
    Return the configuration file to read, or None when the defaults are to be used.

    Raises:
        ConfigError: The file named by `path` or `$CELEBCOLLECT_CONFIG` is not there.
    """
    named = path or (Path(os.environ[ENV_FILE]) if os.environ.get(ENV_FILE) else None)
    if named is not None:
        if not named.is_file():
            said_by = "--config" if path else f"${ENV_FILE}"
            raise ConfigError(
                f"configuration file not found: {named} (named by {said_by})",
                hint="`celebcollect init` writes one.",
            )
        return named
    usual = (Path("config.toml"), platformdirs.user_config_path("celebcollect") / "config.toml")
    return next((candidate for candidate in usual if candidate.is_file()), None)


def load(model: type[Config], path: Path | None = None) -> Config:
    """
    Read the configuration file, put the environment on top and check everything.

    Args:
        model: The tree of the sections.
        path: The file; None: where it usually is, or none at all.

    Raises:
        ConfigError: A file that is missing or no TOML, an unknown key, a value of the wrong type or
            out of range.
    """
    file = find_file(path)
    values: dict[str, Any] = {}
    if file is not None:
        try:
            # some editors begin a file with a mark
            values = tomllib.loads(file.read_text(encoding="utf-8-sig"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{file} is not valid TOML: {error}",
                hint="`celebcollect init` writes a file to compare with.",
            ) from error
        except OSError as error:
            raise ConfigError(
                f"cannot read {file}: {error.strerror}",
                hint="Check the rights on it, or name another one with --config.",
            ) from error
        values = _beside(file, values)
    return checked(model, values, str(file) if file else "the environment")


def _beside(file: Path, values: dict[str, Any]) -> dict[str, Any]:
    """
    Return the values of a file with its `data_dir` relative to the file, not to who reads it.

    Otherwise every working folder would have a collection of its own. A `data_dir` of the
    environment is relative to the working directory.
    """
    named = values.get("data_dir")
    if not isinstance(named, str) or named.startswith("~") or "\0" in named:
        return values
    folder = file.parent / named
    if not folder.exists() and Path(named).exists():
        log.warning(
            "data_dir is relative to its configuration file: that is %s, and %s is left alone;"
            " move it there, or name it with its whole path",
            folder,
            Path(named).absolute(),
        )
    return {**values, "data_dir": str(folder)}


def checked(model: type[Config], values: Mapping[str, Any], where: str) -> Config:
    """
    Return the configuration that these values make, with the environment on top.

    `where` says in messages where the values stand.

    Raises:
        ConfigError: An unknown key, a value of the wrong type or out of range.
    """
    try:
        # On its own and strictly first: a file says a number as a number, the environment can only
        # quote it.
        model.model_validate_json(json.dumps(values, default=str), strict=True)
        config = environment_of(model)(**values)
    except ValidationError as error:
        # One line: the first problem whole, the others by name. Inputs are left out, one of them
        # may be a secret.
        first, *others = [
            (_named(problem["loc"], where), _reason(problem)) for problem in error.errors()
        ]
        more = f" (also wrong: {', '.join(key for key, _ in others)})" if others else ""
        raise ConfigError(f"{first[0]}: {first[1]}{more}", hint=_ALL_KEYS) from None
    except SettingsError as error:
        section = re.search(r'field "(\w+)"', str(error))
        name = f"{ENV_PREFIX}{section[1].upper() if section else ''}..."
        raise ConfigError(
            f"an environment variable {name} holds a value that cannot be read",
            hint="Lists and tables are JSON.",
        ) from None
    for name in _variables():
        section_name, delimiter, _ = name.removeprefix(ENV_PREFIX).partition(ENV_DELIMITER)
        if delimiter and section_name.lower() not in model.model_fields:
            raise ConfigError(
                f"{name} in the environment: there is no section [{section_name.lower()}]",
                hint=_ALL_KEYS,
            )
    return config


def _variables() -> dict[str, str]:
    """Return the variables of the environment that are meant for us, by their names in capitals."""
    return {
        name.upper(): value
        for name, value in os.environ.items()
        if name.upper().startswith(ENV_PREFIX)
    }


def _named(key: Sequence[str | int], where: str) -> str:
    """Return where a wrong value stands, and its key: the variable that sets it, else the file."""
    name = ENV_PREFIX + ENV_DELIMITER.join(map(str, key)).upper()
    if name in _variables():
        where = f"{name} in the environment"
    return f"{where}: {'.'.join(map(str, key)) or 'configuration'}"


def _reason(problem: Any) -> str:
    if problem["type"] == "extra_forbidden":
        return "unknown key"
    return str(problem["msg"]).removeprefix("Value error, ")


def changed(config: Config, changes: Mapping[str, Mapping[str, Any]]) -> Config:
    """
    Return the configuration with values of the command line on top, by section.

    Raises:
        ConfigError: A value that the section does not take.
    """
    sections: dict[str, Section] = {}
    for name, values in changes.items():
        section: Section = getattr(config, name)
        try:
            sections[name] = type(section).model_validate({**section.model_dump(), **values})
        except ValidationError as error:
            problem = error.errors()[0]
            option = "-".join(str(part) for part in problem["loc"]).replace("_", "-")
            raise ConfigError(
                f"--{option}: {_reason(problem)}", hint="The command's --help says what it takes."
            ) from None
    return config.model_copy(update=sections)
