"""docs/errors.md and docs/reasons.md, written from the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import celebcollect
from celebcollect.domain import errors
from celebcollect.explain import known_reasons

SOURCE = Path(celebcollect.__file__).parent

EXIT_CODES = {
    0: "done",
    1: "unexpected error, or the disk refuses",
    2: "wrong usage or configuration",
    3: "a service cannot be reached or refuses us, or another process holds what we need",
    4: "finished, but produced nothing although there was work",
    130: "interrupted by Ctrl-C or SIGTERM; what was finished is kept",
}

STAGES = {
    "wikidata": (
        "`wikidata`",
        "People whom Wikidata names and who are left out, and single values of theirs.",
    ),
    "sources": (
        "`scrape-*`",
        "What a search did not bring, per person or per picture of the source's answer.",
    ),
    "collect": (
        "`wikidata` and every `scrape-*`",
        "People who are not searched for, and people of whom a source has nothing.",
    ),
    "validate": (
        "`validate`",
        (
            "URLs that are not passed on; `store` counts the same words where a server sends us on"
            " to such a URL."
        ),
    ),
    "store": (
        "`store`",
        (
            "Pictures that could not be downloaded: status `failed`. What is tried again waits 10"
            " minutes, then 1, 6 and 24 hours."
        ),
    ),
    "clean": (
        "`clean`",
        "Pictures that were downloaded and thrown out: status `rejected`, the file in quarantine.",
    ),
    "train": ("`train`", "Pictures on `dataclean` that are not learnt from."),
    "export": ("`export`", "Accepted pictures that are not given away."),
}


@dataclass(frozen=True, order=True)
class Told:
    """One error that the code can end with."""

    kind: str
    message: str
    hint: str
    module: str


def classes() -> Iterator[type[errors.CelebCollectError]]:
    """Yield every class of error, each below the one that it refines."""

    def below(kind: type[errors.CelebCollectError]) -> Iterator[type[errors.CelebCollectError]]:
        yield kind
        for child in kind.__subclasses__():
            if child.__module__ == errors.__name__:
                yield from below(child)

    return below(errors.CelebCollectError)


def told() -> list[Told]:
    """Return every error that is made somewhere in the code with a text that can be read there; `<name>` stands for a value."""
    names = {kind.__name__ for kind in classes()}
    found = set()
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in names
                and node.args
            ):
                hint = next(
                    (keyword.value for keyword in node.keywords if keyword.arg == "hint"), None
                )
                module = ".".join(file.relative_to(SOURCE).with_suffix("").parts)
                found.add(
                    Told(node.func.id, _text(node.args[0]), _text(hint) if hint else "", module)
                )
    return sorted(error for error in found if _fixed(error.message) or _fixed(error.hint))


def _fixed(text: str) -> str:
    """Return what of a text is the same every time."""
    return re.sub(r"<[^>]*>|[^A-Za-z]", "", text)


def _text(node: ast.expr) -> str:
    """Return a text as it will be read, with names in place of values."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    if isinstance(node, ast.BoolOp):
        return _text(node.values[-1])
    if isinstance(node, ast.IfExp):
        return " / ".join(filter(None, (_text(node.body), _text(node.orelse))))
    value = node.value if isinstance(node, ast.FormattedValue) else node
    if isinstance(value, ast.Constant | ast.IfExp | ast.BoolOp):
        return _text(value)
    return f"<{_name(value)}>"


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Name) and node.id in ("repr", "str", "map", "sorted", "len"):
        return "..."
    if isinstance(node, ast.Attribute):
        return node.attr.strip("_")
    if isinstance(node, ast.Name):
        return node.id.strip("_").lower()
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    if isinstance(node, ast.Call):
        inner = [*node.args, node.func.value] if isinstance(node.func, ast.Attribute) else node.args
        return next((name for name in map(_name, inner) if name != "..."), "...")
    return "..."


def errors_page() -> str:
    """Return docs/errors.md."""
    every = told()
    lines = [
        "# Errors",
        "",
        "Written by `make docs` from the code; a test compares. Edit the code, not this page.",
        "",
        (
            "An expected error is one or two lines on stderr: what happened and with which value,"
            " then what to do. `<...>` stands for a value."
        ),
        (
            "What is lost of single people, URLs and pictures is no error but counted:"
            " [reasons](reasons.md)."
        ),
        "",
        "| exit code | meaning |",
        "|---|---|",
        *(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()),
        "",
        "| class | exit code | meaning | example | what to do |",
        "|---|---|---|---|---|",
    ]
    for kind in classes():
        helpful = [error for error in every if error.kind == kind.__name__ and _fixed(error.hint)]
        example = max(helpful, key=lambda error: (len(_fixed(error.message)), error), default=None)
        meaning = (kind.__doc__ or "").strip().partition("\n")[0]
        shown = (_cell(example.message), _cell(example.hint)) if example else ("", "")
        lines.append(
            f"| `{kind.__name__}` | {kind.exit_code} | {_prose(meaning)} | {shown[0]} |"
            f" {shown[1]} |"
        )
    for kind in classes():
        own = [error for error in every if error.kind == kind.__name__]
        if own:
            lines += [
                "",
                f"## {kind.__name__} (exit code {kind.exit_code})",
                "",
                "| message | what to do |",
                "|---|---|",
            ]
            lines += sorted({f"| {_cell(error.message)} | {_cell(error.hint)} |" for error in own})
    return "\n".join(lines) + "\n"


def reasons_page() -> str:
    """Return docs/reasons.md."""
    lines = [
        "# Reasons",
        "",
        (
            "Written by `make docs` from the reasons that the code declares. Edit the code, not"
            " this page."
        ),
        "",
        (
            "Losing one person, URL or picture for an expected reason is not an error: it is"
            " counted under one of these words, in the summary of"
        ),
        (
            "every command, in `status`, in `images` and in the gallery. [Errors](errors.md) are"
            " what ends a command."
        ),
    ]
    for stage, (title, about) in STAGES.items():
        lines += ["", f"## {title}", "", about, ""]
        lines += ["| reason | meaning | what to do |", "|---|---|---|"]
        lines += [
            f"| `{word}` | {_prose(reason.meaning)} | {_prose(reason.advice)} |"
            for word, reason in sorted(known_reasons().items())
            if reason.stage == stage
        ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|').replace('`', chr(39))}`" if text else ""


def _prose(text: str) -> str:
    return text.replace("|", "\\|")
