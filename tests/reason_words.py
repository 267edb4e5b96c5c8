"""Read from the code which reasons it can count, without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import celebcollect

ROOT = Path(celebcollect.__file__).parent

CARRIERS = {"drop": 0, "Rejection": 1, "NotAPicture": 0, "FetchFailed": 0}
"""Calls that take a reason, and at which place."""


@dataclass(frozen=True)
class Words:
    """What the code can count."""

    words: frozenset[str]
    prefixes: frozenset[str]
    """Beginnings of words that are put together while the program runs."""
    unclear: tuple[str, ...]
    """Places where a reason comes from somewhere that cannot be followed here."""


@dataclass(frozen=True)
class _Place:
    file: Path
    call: ast.Call
    reason: ast.expr
    inside: tuple[ast.FunctionDef, ...]


def counted() -> Words:
    """Return every reason that some code in the package can count."""
    trees = {
        file: ast.parse(file.read_text(encoding="utf-8"))
        for file in sorted(ROOT.rglob("*.py"))
        if file.name != "report.py"
    }
    words: set[str] = set()
    prefixes: set[str] = set()
    unclear: list[str] = []
    todo = [place for file, tree in trees.items() for place in _calls(file, tree, CARRIERS)]
    for tree in trees.values():
        words.update(_findings(tree))
    while todo:
        place = todo.pop()
        for found in _resolve(place, trees):
            if isinstance(found, _Place):
                todo.append(found)
            elif found.endswith("*"):
                prefixes.add(found[:-1])
            elif found == "?":
                unclear.append(
                    f"{place.file.relative_to(ROOT)}:{place.call.lineno}:"
                    f" {ast.unparse(place.reason)}"
                )
            else:
                words.add(found)
    return Words(frozenset(words), frozenset(prefixes), tuple(unclear))


def _calls(
    file: Path, tree: ast.AST, carriers: dict[str, int], inside: tuple[ast.FunctionDef, ...] = ()
) -> Iterator[_Place]:
    for node in ast.iter_child_nodes(tree):
        around = (*inside, node) if isinstance(node, ast.FunctionDef) else inside
        if isinstance(node, ast.Call):
            place = carriers.get(_name(node.func), -1)
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            reason = (
                node.args[place]
                if 0 <= place < len(node.args)
                else given.get("reason")
                if place >= 0
                else None
            )
            if reason is not None:
                yield _Place(file, node, reason, inside)
        yield from _calls(file, node, carriers, around)


def _resolve(place: _Place, trees: dict[Path, ast.Module]) -> Iterator[str | _Place]:
    """Yield the words that an expression can be, `prefix*`, further places to look at, or `?`."""
    reason = place.reason
    if isinstance(reason, ast.Constant):
        yield str(reason.value)
    elif isinstance(reason, ast.IfExp):
        for branch in (reason.body, reason.orelse):
            yield _Place(place.file, place.call, branch, place.inside)
    elif isinstance(reason, ast.BoolOp) and isinstance(reason.op, ast.Or):
        yield _Place(place.file, place.call, reason.values[0], place.inside)
    elif isinstance(reason, ast.JoinedStr) and isinstance(reason.values[0], ast.Constant):
        yield f"{reason.values[0].value}*"
    elif isinstance(reason, ast.Starred):  # the first of what follows
        yield _Place(place.file, place.call, reason.value, place.inside)
    elif isinstance(reason, ast.Name):
        yield from _named(place, reason.id, trees)
    elif _passed_on(reason):
        pass  # made elsewhere, and found there
    else:
        yield "?"


def _named(place: _Place, name: str, trees: dict[Path, ast.Module]) -> Iterator[str | _Place]:
    for function in reversed(place.inside):
        parameters = [argument.arg for argument in function.args.args]
        if name in parameters:
            at = parameters.index(name) - ("self" in parameters)
            yield from _calls(place.file, trees[place.file], {function.name: at})
            return
        values = list(_assigned(function, name))
        for value in values:
            if isinstance(value, ast.Call):
                yield from _returned(_name(value.func), place.file, trees)
            else:
                yield _Place(place.file, place.call, value, place.inside)
        if values:
            return
    constants = [value for tree in trees.values() for value in _constants(tree, name)]
    yield from constants or ["?"]


def _assigned(function: ast.FunctionDef, name: str) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.NamedExpr)
            else []
        )
        if isinstance(node, ast.Assign | ast.NamedExpr) and any(
            isinstance(target, ast.Name) and target.id == name for target in targets
        ):
            yield node.value


def _returned(function: str, file: Path, trees: dict[Path, ast.Module]) -> Iterator[str]:
    """Yield the texts that a function returns, of tuples the first: the function of this file, or else all of this name."""
    own = list(_texts(function, trees[file]))
    yield from own or [text for tree in trees.values() for text in _texts(function, tree)] or ["?"]


def _texts(function: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            for answer in ast.walk(node):
                if isinstance(answer, ast.Return) and answer.value is not None:
                    for part in ast.walk(
                        answer.value.elts[0]
                        if isinstance(answer.value, ast.Tuple)
                        else answer.value
                    ):
                        if isinstance(part, ast.Constant) and isinstance(part.value, str):
                            yield part.value


def _findings(tree: ast.Module) -> Iterator[str]:
    """Yield the reasons that functions return beside a detail, as a `Finding`."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.FunctionDef)
            and node.returns is not None
            and "Finding" in ast.unparse(node.returns)
        ):
            for answer in ast.walk(node):
                if isinstance(answer, ast.Return) and isinstance(answer.value, ast.Tuple):
                    first = answer.value.elts[0]
                    yield from (
                        [str(first.value)]
                        if isinstance(first, ast.Constant)
                        else _constants(tree, ast.unparse(first))
                    )


def _constants(tree: ast.Module, name: str) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
                for one, value in zip(names, values, strict=False):
                    if (
                        isinstance(one, ast.Name)
                        and one.id == name
                        and isinstance(value, ast.Constant)
                        and isinstance(value.value, str)
                    ):
                        yield value.value


def _passed_on(reason: ast.expr) -> bool:
    text = ast.unparse(reason)
    return text.endswith(".reason") or text in ("str(facts['reason'])", "facts['reason']")


def _name(function: ast.expr) -> str:
    return (
        function.attr
        if isinstance(function, ast.Attribute)
        else function.id
        if isinstance(function, ast.Name)
        else ""
    )
