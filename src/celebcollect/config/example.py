"""Write a configuration file that names every key with its default and what it is for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pydantic.fields import FieldInfo

from celebcollect.config.fields import Section
from celebcollect.config.tree import Config
from celebcollect.domain.attribute_docstrings import attribute_docstrings


def example(model: type[Config], values: Mapping[str, str] | None = None) -> str:
    """
    Return a configuration file that names every key with its default and what it is for.

    Args:
        model: The tree of the sections.
        values: Put in the place of defaults, by dotted key: `{"http.contact": "me@example.org"}`.
    """
    given = values or {}
    top, sections = "", []
    for name in model.written_order():
        field = model.model_fields[name]
        if isinstance(field.default, Section):
            if not type(field.default).model_fields:
                continue
            sections.append(f"\n[{name}]" + _example_section(name, type(field.default), given))
        else:
            top += _example_key(name, field, meanings(model).get(name, ""), given.get(name))
    intro = (
        "# celebcollect: every key with its default. Set what you need, delete the rest.\n"
        "# CELEBCOLLECT_<SECTION>__<KEY> in the environment wins over this file.\n"
    )
    return intro + top + "\n" + "\n".join(sections) + "\n"


def meanings(section: type[Section]) -> dict[str, str]:
    """Return what the text below each key of a section says, on one line."""
    texts = {
        key: field.description
        for key, field in section.model_fields.items()
        if field.description is not None
    }
    for model in section.__mro__:
        if issubclass(model, Section):
            # One that is made while the program runs has no source; its keys have descriptions.
            with suppress(OSError):
                texts = {**attribute_docstrings(model), **texts}
    return texts


def _example_section(name: str, model: type[Section], given: Mapping[str, str]) -> str:
    texts = meanings(model)
    return "".join(
        _example_key(key, model.model_fields[key], texts.get(key, ""), given.get(f"{name}.{key}"))
        for key in model.written_order()
    )


def _example_key(key: str, field: FieldInfo, meaning: str, given: str | None) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    comment = f"\n# {meaning}"
    if isinstance(default, dict):
        return f"{comment}\n# {key} = {{}}"
    return f"{comment}\n{key} = {_toml(default if given is None else given)}"


def _toml(value: Any) -> str:
    if value is None:
        return '""'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    # A JSON string is a TOML string too; a secret's default is empty.
    return json.dumps(
        value.get_secret_value() if hasattr(value, "get_secret_value") else str(value),
        ensure_ascii=False,
    )
