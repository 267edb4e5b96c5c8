"""The tables of the README that are written from the code: commands and configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import typer
from pydantic.fields import FieldInfo

from celebcollect.cli import app
from celebcollect.config.example import meanings
from celebcollect.config.fields import Section
from celebcollect.configuration import config_model


def commands() -> str:
    """Return a table of all commands with the first sentence of their help."""
    group = typer.main.get_command(app)
    return _table(("command", "what goes in and what comes out"), _commands(group))


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, str]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")
            continue
        arguments = "".join(
            f" {_usage(parameter)}"
            for parameter in command.params
            if parameter.param_type_name == "argument"
        )
        yield f"`{before}{name}{arguments}`", (command.help or "").strip().partition("\n")[0]


def _usage(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    name = name if argument.required or name.startswith("[") else f"[{name}]"
    return f"{name}..." if argument.nargs == -1 and not name.endswith("...") else name


def configuration() -> str:
    """Return a table of all keys with default and meaning, by section."""
    return _table(("key", "default", "meaning"), _keys(config_model()))


def _keys(section: type[Section], before: str = "") -> Iterator[tuple[str, str, str]]:
    for name in section.written_order():
        field = section.model_fields[name]
        if isinstance(field.default, Section):
            yield from _keys(type(field.default), f"{name}.")
        else:
            yield f"`{before}{name}`", _default(field), meanings(section)[name]


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    if isinstance(value, tuple):
        value = list(value)
    return f"`{json.dumps(value, default=str, ensure_ascii=False)}`"


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines
    )


def between(text: str, name: str, content: str) -> str:
    """
    Return a text with new content between `<!-- name -->` and `<!-- /name -->`.

    Raises:
        ValueError: The text has no such place.
    """
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"no place for {name!r}")
    return pattern.sub(lambda _: f"{begin}{content}{end}", text, count=1)
