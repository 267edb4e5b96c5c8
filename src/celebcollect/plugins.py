"""Find what other packages add to this one, through the entry points that they declare.

`importlib.metadata` would do it. Importing it takes half as long as the whole of `--help`, and it
reads every package that is installed. This reads the same files and leaves the others closed
(docs/decisions/plugins.md). Built-in parts are declared in the same way as those of others.
"""

import os
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import NamedTuple, TypeVar

T = TypeVar("T")

_OURS = "celebcollect"
_METADATA = (".dist-info", ".egg-info")
_FILE = "entry_points.txt"


class PluginRefused(Exception):
    """A plug-in is not what it should be; the message says what is wrong, in half a sentence."""


class EntryPoint(NamedTuple):
    """One line of a package's `entry_points.txt`."""

    name: str
    target: str
    """`module:attribute`."""
    package: str
    """Name of the distribution that declares it."""

    def load(self) -> object:
        """
        Import what the line names.

        Raises:
            PluginRefused: It cannot be imported; a plug-in may fail in any way.
        """
        module, _, attribute = self.target.partition(":")
        try:
            found: object = import_module(module.strip())
            for part in filter(None, attribute.strip().split(".")):
                found = getattr(found, part)
        except (Exception, SystemExit) as error:
            told = " ".join(str(error).split())[:200]
            raise PluginRefused(
                f"{type(error).__name__}: {told}" if told else repr(error)
            ) from error
        return found


def discover(group: str, accept: Callable[[EntryPoint, object], T]) -> tuple[list[T], list[str]]:
    """
    Load all plug-ins of a group, our own first, then by package and line.

    Returns those that can be used, and a sentence about each of the others.

    Args:
        group: Name of the entry point group, e.g. `celebcollect.sources`.
        accept: Returns the plug-in in its checked form, or raises `PluginRefused`.
    """
    plugins: list[T] = []
    problems: list[str] = []
    for entry in entry_points(group):
        try:
            plugins.append(accept(entry, entry.load()))
        except PluginRefused as refused:
            problems.append(
                f"the plug-in {entry.name!r} ({group}) of package {entry.package} is left out:"
                f" {refused}"
            )
    return plugins, problems


def entry_points(group: str) -> list[EntryPoint]:
    """Return the entry points of a group, our own first, then by package and line."""
    found = [
        EntryPoint(name, target, package)
        for package, text in _declarations(f"[{group}]")
        for name, target in _section(text, group)
    ]
    return sorted(found, key=lambda entry: (entry.package != _OURS, entry.package))


def _declarations(heading: str) -> Iterator[tuple[str, str]]:
    """Yield name and entry points of each package that has this heading among them."""
    wanted = heading.encode()
    seen: set[str] = set()
    for folder in dict.fromkeys(sys.path):
        for path in _metadata_folders(folder or "."):
            data = _read(f"{path}/{_FILE}")
            if wanted in data:
                # As for Python, the first package of a name on the path is the one that counts.
                package = _package(path)
                if package not in seen:
                    seen.add(package)
                    yield package, data.decode(errors="replace")


def _metadata_folders(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if entry.name.endswith(_METADATA)]
    except OSError:  # a path that is no folder, or none that may be read
        return []


def _read(path: str) -> bytes:
    """Return what a file holds; most packages have none, which open() takes long to find out."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def _package(path: str) -> str:
    """Return a package's name from that of its folder, `Some_Name-1.0.dist-info`."""
    name = path.replace("\\", "/").rpartition("/")[2].partition("-")[0].partition(".egg")[0]
    return name.replace("_", "-").replace(".", "-").lower()


def _section(text: str, group: str) -> Iterator[tuple[str, str]]:
    """Yield names and targets of one section (packaging.python.org, Entry points specification)."""
    inside = False
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("["):
            inside = line == f"[{group}]"
        elif inside and line and line[0] not in "#;":
            name, _, target = line.partition("=")
            yield name.strip(), target.partition("[")[0].strip()
