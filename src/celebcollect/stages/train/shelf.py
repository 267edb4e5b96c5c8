"""Where models and their reports lie: `data_dir/models/<name>/`. Files appear whole or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from celebcollect.disk.files import make_folder, sync_folder
from celebcollect.domain.errors import Busy, StorageError, UsageError
from celebcollect.stages.train import model_file
from celebcollect.stages.train.model import Model

MODELS = "models"
LOCK = ".lock"
MODEL, REPORT = "model.safetensors", "report.json"
DEFAULT = "faces"
"""Name of the model where none is asked for."""

CHARTS = ("accuracy.png", "confusion.png", "distances.png", "mistakes.png")

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_RETRY = "Train again: celebcollect train"


class Shelf:
    """The folder of one model."""

    def __init__(self, data_dir: Path, name: str = DEFAULT) -> None:
        """
        Name the folder; nothing is made or read yet.

        Raises:
            UsageError: The name is none for a folder.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!a} is no name for a model", hint="Use small letters, digits, - and _."
            )
        self.folder = data_dir / MODELS / name

    @property
    def model(self) -> Path:
        """Return where the model lies."""
        return self.folder / MODEL

    @contextmanager
    def alone(self) -> Iterator[None]:
        """
        Hold the folder, made when missing, for one training.

        Raises:
            Busy: Another process trains this model.
            StorageError: The folder cannot be made.
        """
        with _told("make", self.folder):
            make_folder(self.folder.absolute())
        lock = FileLock(self.folder / LOCK)
        with _told("lock", self.folder):
            try:
                lock.acquire(blocking=False)
            except Timeout:
                raise Busy(
                    f"another process trains the model in {self.folder}", hint="Wait until it ends."
                ) from None
        try:
            yield
        finally:
            lock.release()

    def save(self, model: bytes, report: bytes, charts: dict[str, bytes]) -> None:
        """
        Write all of it, the model last; durable on return. Hold the folder (`alone`).

        The report comes before the pictures that belong to it: `forget` learns from report and
        model whom they show.

        Raises:
            StorageError: The disk refuses.
        """
        for name in set(CHARTS) - set(charts):
            with _told("remove", self.folder / name):
                (self.folder / name).unlink(missing_ok=True)
        for name, data in ((REPORT, report), *charts.items(), (MODEL, model)):
            file, part = self.folder / name, self.folder / f".{name}.part"
            with _told("write", file):
                with part.open("wb") as out:
                    out.write(data)
                    out.flush()
                    os.fsync(out.fileno())
                part.replace(file)
        with _told("write", self.folder):
            sync_folder(self.folder)

    def load(self) -> Model:
        """
        Read the model; nothing in the file is executed.

        Raises:
            UsageError: There is none, or it is broken.
            StorageError: The disk refuses.
        """
        try:
            with _told("read", self.model):
                if not self.model.is_file():
                    raise UsageError(
                        f"there is no model {self.folder.name!r} in {self.folder.parent}",
                        hint="Train one: celebcollect train",
                    )
                return model_file.read(self.model)
        except ValueError as error:
            raise UsageError(
                f"{self.model} is no model of this program: {error}", hint=_RETRY
            ) from error


def forget(data_dir: Path, qid: str, *, wait_s: float) -> int:
    """
    Remove the models that know a person, with their reports; return how many. Others can be trained again without the person.

    A training under way may have read the person's pictures before they were withdrawn: it is
    waited for.

    Raises:
        Busy: It took longer than `wait_s`.
        StorageError: The disk refuses.
    """
    with _told("read", data_dir / MODELS):
        folders = sorted(
            folder for folder in (data_dir / MODELS).glob("*/") if not folder.is_symlink()
        )
    return sum(
        _forget_in(folder, re.compile(rf"{qid}(?![0-9])".encode()), wait_s) for folder in folders
    )


def _forget_in(folder: Path, told: re.Pattern[bytes], wait_s: float) -> bool:
    ours = [folder / name for name in (MODEL, REPORT, *CHARTS)]
    ours += [file.with_name(f".{file.name}.part") for file in ours]
    lock = FileLock(folder / LOCK)
    with _told("remove", folder):
        try:
            lock.acquire(timeout=wait_s)
        except Timeout:
            raise Busy(
                f"another process trains the model in {folder}",
                hint="Forget the person once more when it is done.",
            ) from None
        try:
            files = [file for file in ours if file.is_file()]
            if not any(told.search(file.read_bytes()) for file in files if file.suffix != ".png"):
                return False
            # The model goes last: it tells a second time that there is something left to do.
            for file in reversed(files):
                file.unlink()
        finally:
            lock.release()
    return True


@contextmanager
def _told(what: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"cannot {what} {path}: {error.strerror}",
            hint="Check the disk and the rights on data_dir.",
        ) from error
