"""docs/errors.md and docs/reasons.md, written from the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import celebcollect
from celebcollect.domain.errors import EXIT_CODES
from celebcollect.explain import error_kinds, known_reasons

SOURCE = Path(celebcollect.__file__).parent

STAGES = {
    "wikidata": (
        "`wikidata`",
        "People whom Wikidata names and who are left out, and single values of theirs.",
    ),
    "collect": (
        "`wikidata` and every `scrape-*`",
        "People who are not searched for, and people of whom a source has nothing.",
    ),
    "sources": (
        "`scrape-*`",
        "What a search did not bring, per person or per picture of the source's answer.",
    ),
    "validate": (
        "`validate`",
        "URLs that are not passed on; `store` counts the same words where a server sends us on to"
        " such a URL.",
    ),
    "store": (
        "`store`",
        "Pictures that could not be downloaded: status `failed`. What is tried again waits 10"
        " minutes, then 1, 6 and 24 hours.",
    ),
    "clean": (
        "`clean`",
        "Pictures that were downloaded and thrown out: status `rejected`, the file in quarantine.",
    ),
    "train": ("`train`", "Pictures on `dataclean` that are not learnt from."),
    "export": ("`export`", "Accepted pictures that are not given away."),
}
"""Heading and first sentence of each stage's reasons, in the order of the pipeline."""

ERRORS_HEAD = """\
# Errors

Written by `make docs` from the code; a test compares. Edit the code, not this page.

An expected error is one or two lines on stderr: what happened and with which value, then what to
do. `<...>` stands for a value. `celebcollect explain SourceBlocked` prints the line of a class.
What is lost of single people, URLs and pictures is no error but counted: [reasons](reasons.md).
"""

REASONS_HEAD = """\
# Reasons

Written by `make docs` from the members of `Reason` that the code declares; a test compares. Edit
the code, not this page.

Losing one person, URL or picture for an expected reason is not an error: it is counted under one
of these words, in the summary of every command, in `status`, in `images` and in the gallery.
`celebcollect explain too_small` prints the line of one word, also of those that plug-ins add.
[Errors](errors.md) are what ends a command.
"""


@dataclass(frozen=True, order=True)
class Told:
    """One error that the code can end with."""

    kind: str
    message: str
    hint: str


def errors_page() -> str:
    """Return docs/errors.md."""
    lines = [ERRORS_HEAD, *_table("exit code", "meaning")]
    lines += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    lines += ["", *_table("class", "exit code", "meaning", "what to do")]
    for kind in error_kinds():
        meaning = (kind.__doc__ or "").strip().partition("\n")[0]
        lines.append(
            f"| `{kind.__name__}` | {kind.exit_code} | {_prose(meaning)} | {_prose(kind.advice)} |"
        )
    for kind in error_kinds():
        own = [error for error in told() if error.kind == kind.__name__]
        if own:
            lines += ["", f"## {kind.__name__} (exit code {kind.exit_code})", ""]
            lines += _table("message", "what to do")
            lines += [f"| {_cell(error.message)} | {_cell(error.hint)} |" for error in own]
    return "\n".join(lines) + "\n"


def reasons_page() -> str:
    """Return docs/reasons.md."""
    lines = [REASONS_HEAD.rstrip("\n")]
    for stage, (title, about) in STAGES.items():
        lines += ["", f"## {title}", "", about, "", *_table("reason", "meaning", "what to do")]
        lines += [
            f"| `{word}` | {_prose(reason.meaning)} | {_prose(reason.advice)} |"
            for word, reason in sorted(known_reasons().items())
            if reason.stage == stage
        ]
    return "\n".join(lines) + "\n"


@cache
def told() -> tuple[Told, ...]:
    """
    Return every error that is made in the code with a text that can be read there.

    A message is a text of the place where it is raised, with values of that place: nothing but the
    source knows all of them. `<name>` stands for a value.
    """
    names = {kind.__name__ for kind in error_kinds()}
    found = set()
    for file in sorted(SOURCE.rglob("*.py")):
        for kind, call in _calls(file, names):
            hint = next((word.value for word in call.keywords if word.arg == "hint"), None)
            found.add(Told(kind, _text(call.args[0]), _text(hint) if hint else ""))
    return tuple(sorted(error for error in found if _fixed(error.message) or _fixed(error.hint)))


def _calls(file: Path, names: set[str]) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[_, *_]) if name in names:
                yield name, node
            # `SqliteFormat.error`: the class is the one of the file's owner.
            case ast.Call(
                func=ast.Attribute(attr="error"), args=[_, *_], keywords=[ast.keyword("hint")]
            ):
                yield "ServiceError", node


def _fixed(text: str) -> str:
    """Return what of a text is the same every time."""
    return re.sub(r"<[^>]*>|[^A-Za-z]", "", text)


def _text(node: ast.expr) -> str:
    """Return a text as it will be read, with names in place of values."""
    match node:
        case ast.Constant():
            return str(node.value)
        case ast.JoinedStr():
            return "".join(map(_text, node.values))
        case ast.BinOp(op=ast.Add()):
            return _text(node.left) + _text(node.right)
        case ast.BoolOp():
            return _text(node.values[-1])
        case ast.IfExp():
            return " / ".join(filter(None, (_text(node.body), _text(node.orelse))))
        case ast.FormattedValue(value=ast.Constant() | ast.IfExp() | ast.BoolOp()):
            return _text(node.value)
        case ast.FormattedValue():
            return f"<{_name(node.value)}>"
    return f"<{_name(node)}>"


def _name(node: ast.expr) -> str:
    """Return a name for a value: that of the variable or attribute, or of the call's argument."""
    match node:
        case ast.Name(id="repr" | "str" | "map" | "sorted" | "len"):
            return "..."
        case ast.Attribute():
            return node.attr.strip("_")
        case ast.Name():
            return node.id.strip("_").lower()
        case ast.Subscript():
            return _name(node.value)
        case ast.Call(func=ast.Attribute(value=owner)):
            return _first_name([*node.args, owner])
        case ast.Call():
            return _first_name(node.args)
    return "..."


def _first_name(nodes: list[ast.expr]) -> str:
    return next((name for name in map(_name, nodes) if name != "..."), "...")


def _table(*columns: str) -> list[str]:
    return [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]


def _cell(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|').replace('`', chr(39))}`" if text else ""


def _prose(text: str) -> str:
    return text.replace("|", "\\|")
