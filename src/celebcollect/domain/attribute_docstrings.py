"""Read the text that stands below each attribute of a class: what the attribute is for.

Pydantic would do it when a class is made (`use_attribute_docstrings`), but at every start, where it
takes a twentieth of the time. Only the documentation, the schemas and the example configuration
need the texts.
"""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise
from textwrap import dedent


def attribute_docstrings(model: type) -> dict[str, str]:
    """Return the text below each attribute of a class whose source is at hand, on one line."""
    (definition,) = ast.parse(dedent(inspect.getsource(model))).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101 - the source of a class is a class
    return {
        attribute.target.id: " ".join(text.value.value.split())
        for attribute, text in pairwise(definition.body)
        if isinstance(attribute, ast.AnnAssign)
        and isinstance(attribute.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
