"""Put face models into the user's folder, and say which are there.

Files come from their publishers or from a folder, and appear under their names only when their
bytes are proved. Terms are told before the first byte is asked for.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from celebcollect.disk.files import atomic_file, disk_errors, make_folder, write_file
from celebcollect.disk.known_file import KnownFile, WrongFile, prove
from celebcollect.domain.errors import StorageError, UsageError
from celebcollect.vision import dlib_package
from celebcollect.vision.model_sets import (
    KNOWN_SETS,
    NUMBERS_FILE,
    ModelSet,
    models_folder,
    own_names,
)
from celebcollect.vision.own_models import read_own

_TERMS_FILE = "terms-told.txt"


@dataclass(frozen=True)
class ModelState:
    """One engine by name, and whether it can be used."""

    name: str
    title: str
    installed: bool
    tested: bool
    """Measured by this project, see docs/faces.md."""
    terms: tuple[str, ...]
    folder: str
    why_not: str = ""
    """What is lacking, where it cannot be used."""


def model_states() -> Iterator[ModelState]:
    """Yield the engines that can be named, dlib first, then what can be fetched, then one's own."""
    lacking = dlib_package.why_not()
    yield ModelState(
        "dlib",
        "dlib's HOG and CNN detectors and its ResNet, of the extra `faces`",
        installed=lacking is None,
        tested=True,
        terms=("Boost licence (HOG detector); CC0 (landmarks, CNN detector, ResNet).",),
        folder="",
        why_not=lacking or "",
    )
    own = set(own_names())
    for known in KNOWN_SETS:
        here = known.is_here() if known.tested else known.name in own
        yield ModelState(
            known.name,
            known.title,
            installed=here,
            tested=known.tested,
            terms=known.terms,
            folder=str(known.folder),
            why_not="" if here else f"celebcollect models get {known.name}",
        )
    for name in sorted(own - {known.name for known in KNOWN_SETS}):
        folder = models_folder() / name
        yield ModelState(
            name,
            "models of your own",
            True,
            False,
            (read_own(folder / NUMBERS_FILE).source,),
            str(folder),
        )


def known_set(name: str) -> ModelSet | None:
    """Return the set of this name, or None."""
    return next((known for known in KNOWN_SETS if known.name == name), None)


def terms_are_new(known: ModelSet) -> bool:
    """Tell whether nobody was told the terms of this set here before."""
    return not (known.folder / _TERMS_FILE).is_file()


def note_terms(known: ModelSet) -> None:
    """Note that the terms were told, so that they are told once."""
    with disk_errors("write", known.folder):
        make_folder(known.folder)
        write_file(known.folder / _TERMS_FILE, "\n".join(known.terms).encode() + b"\n")


def missing_files(known: ModelSet) -> list[KnownFile]:
    """Return the files of a set that are not there, or are others."""
    found = []
    for file in known.files:
        try:
            prove(known.folder / file.name, file)
        except (WrongFile, StorageError):
            found.append(file)
    return found


def take_from(name: str, source: Path) -> list[str]:
    """
    Copy the models of a set, or of one's own under a new name, from a folder; return the files.

    Raises:
        UsageError: The folder lacks what is needed.
        ConfigError: Its `engine.toml` cannot be used.
        WrongFile: A file is not the one that it is named like.
        StorageError: It cannot be read or written.
    """
    known = known_set(name)
    if known is not None and known.tested:
        names = [file.name for file in known.files]
        _need(source, names)
        for file in known.files:
            prove(source / file.name, file)
    else:
        if name in ("auto", "dlib") or not _usable_name(name):
            raise UsageError(
                f"models of your own cannot be called {name!r}",
                hint="Small letters, digits, - and _, and no name that has a meaning already.",
            )
        _need(source, [NUMBERS_FILE])
        own = read_own(source / NUMBERS_FILE)
        names = [own.detector, own.embedder, NUMBERS_FILE]
        _need(source, names)
    folder = models_folder() / name
    for each in names:
        _copy(source / each, folder / each)
    return names


def fetch(
    known: ModelSet,
    *,
    user_agent: str,
    timeout_s: float,
    received: Callable[[KnownFile, int], None],
) -> list[str]:
    """
    Download what is missing of a set; return the names of the files.

    Raises:
        UsageError: The set cannot be fetched.
        ServiceError: No address gave a file.
        WrongFile: Another file was given.
        StorageError: It cannot be written.
    """
    from celebcollect.web.known_file import fetch_known_file

    if not known.tested:
        raise UsageError(f"{known.name} cannot be fetched", hint=" ".join(known.terms))
    wanted = missing_files(known)
    for file in wanted:
        fetch_known_file(
            file,
            known.folder / file.name,
            user_agent=user_agent,
            timeout_s=timeout_s,
            received=partial(received, file),
        )
    return [file.name for file in wanted]


def _need(folder: Path, names: list[str]) -> None:
    absent = [name for name in names if not (folder / name).is_file()]
    if absent:
        raise UsageError(
            f"{folder} has no {', '.join(absent)}",
            hint="Name the folder that holds the files of the models under their own names.",
        )


def _usable_name(name: str) -> bool:
    return (
        0 < len(name) <= 64
        and name[0].isalnum()
        and all(c.isascii() and (c.isdigit() or c.islower() or c in "-_") for c in name)
    )


def _copy(source: Path, target: Path) -> None:
    with disk_errors("copy", source):
        make_folder(target.parent)
        with source.open("rb") as data, atomic_file(target) as out:
            shutil.copyfileobj(data, out)
