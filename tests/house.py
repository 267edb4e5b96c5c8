"""Read the source of the program as a syntax tree, for the tests of its structure."""

from __future__ import annotations

import ast
import functools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "celebcollect"
PACKAGE = "celebcollect"


@functools.cache
def trees() -> dict[str, ast.Module]:
    """Return every module of the program by its path below the package."""
    return {
        file.relative_to(SOURCE).as_posix(): ast.parse(file.read_text(encoding="utf-8"))
        for file in sorted(SOURCE.rglob("*.py"))
    }


def module_name(path: str) -> str:
    """Return the dotted name of a module."""
    parts = path.removesuffix(".py").split("/")
    return ".".join([PACKAGE, *(parts[:-1] if parts[-1] == "__init__" else parts)])


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield what a module imports, wherever it does: the module, and the name from it or ""."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((name.name, "") for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.module, name.name) for name in node.names)


def imports_of_own() -> dict[str, set[str]]:
    """Return which modules of the program each one imports, inside functions too."""
    modules = {module_name(path): tree for path, tree in trees().items()}
    found: dict[str, set[str]] = {name: set() for name in modules}
    for name, tree in modules.items():
        for module, part in imported(tree):
            target = f"{module}.{part}" if f"{module}.{part}" in modules else module
            if target in modules and target != name:
                found[name].add(target)
    return found


def circles(arrows: dict[str, set[str]]) -> list[set[str]]:
    """Return the sets of modules that import each other in a circle (Tarjan's components)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        order[node] = lowest[node] = len(order)
        stack.append(node)
        for target in sorted(arrows[node]):
            if target not in order:
                visit(target)
                lowest[node] = min(lowest[node], lowest[target])
            elif target in stack:
                lowest[node] = min(lowest[node], order[target])
        if lowest[node] == order[node]:
            at = stack.index(node)
            found.append(set(stack[at:]))
            del stack[at:]

    for node in sorted(arrows):
        if node not in order:
            visit(node)
    return [some for some in found if len(some) > 1]


def public_classes() -> dict[str, list[str]]:
    """Return the modules that define each public class at their top, by its name."""
    found: dict[str, list[str]] = defaultdict(list)
    for path, tree in trees().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(path)
    return found


def long_functions(limit: int) -> dict[str, int]:
    """Return the functions with more lines than that, signature and docstring included."""
    return {
        f"{path}:{node.name}": lines
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > limit
    }


def own_private_names() -> set[str]:
    """Return the private names that the program itself defines."""
    found: set[str] = set()
    for tree in trees().values():
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    found.add(name)
                case ast.Name(id=name, ctx=ast.Store()):
                    found.add(name)
                case ast.Attribute(attr=name, ctx=ast.Store(), value=ast.Name(id="self" | "cls")):
                    found.add(name)
    return found


def private_parts_of_others() -> Iterator[tuple[str, int, str]]:
    """Yield path, line and name of each private attribute or module that is no part of ours."""
    ours = own_private_names()
    for path, tree in trees().items():
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(attr=name) if _private(name) and name not in ours:
                    yield path, node.lineno, name
                case ast.Import() | ast.ImportFrom():
                    for module, name in imported(ast.Module([node], [])):
                        odd = [part for part in (*module.split("."), name) if _private(part)]
                        if odd and module != "__future__" and odd[0] not in ours:
                            yield path, node.lineno, odd[0]


def has_comment(path: str, line: int) -> bool:
    """Tell whether a comment stands on a line or right above it."""
    lines = ["", *(SOURCE / path).read_text(encoding="utf-8").splitlines()]
    return "# " in lines[line] or lines[line - 1].lstrip().startswith("# ")


def _private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def shown_texts() -> Iterator[tuple[str, str]]:
    """
    Yield what a person may be shown, with its file: texts in the code, and help of commands.

    Docstrings of anything else are for who reads the source.
    """
    for path, tree in trees().items():
        for_readers = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        if path.startswith("cli/"):
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef) and (text := ast.get_docstring(node)):
                    yield path, text
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in for_readers
            ):
                yield path, node.value
