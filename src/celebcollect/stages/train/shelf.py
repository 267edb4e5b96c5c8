"""Where models and their reports lie: `data_dir/models/<name>/`.

Files appear whole or not at all.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from pathlib import Path

from celebcollect.disk.files import disk_errors, parts_of, write_file
from celebcollect.disk.locks import locked, locked_folder
from celebcollect.domain.errors import Busy, UsageError
from celebcollect.stages.train import model_file
from celebcollect.stages.train.model import Model

MODELS = "models"
LOCK = ".lock"
MODEL, REPORT = "model.safetensors", "report.json"
DEFAULT = "faces"
"""Name of the model where none is asked for."""

CHARTS = ("accuracy.svg", "confusion.svg", "distances.svg", "mistakes.svg")
FORMER_CHARTS = ("accuracy.png", "confusion.png", "distances.png", "mistakes.png")
"""What version 0.1 drew: removed with the model that they show."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_RETRY = "Train again: celebcollect train"
_HINT = "Check the disk and the rights on data_dir."


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

    def alone(self) -> AbstractContextManager[None]:
        """
        Hold the folder, made when missing, for one training.

        Raises:
            Busy: Another process trains this model.
            StorageError: The folder cannot be made.
        """
        return locked_folder(
            self.folder, LOCK, busy=lambda: _busy(self.folder, "Wait until it ends.")
        )

    def save(self, model: bytes, report: bytes, charts: dict[str, bytes]) -> None:
        """
        Write all of it, the model last; durable on return. Hold the folder (`alone`).

        The report comes before the pictures that belong to it: `forget` learns from report and
        model whom they show.

        Raises:
            StorageError: The disk refuses.
        """
        for name in {*CHARTS, *FORMER_CHARTS} - set(charts):
            with disk_errors("remove", self.folder / name, hint=_HINT):
                (self.folder / name).unlink(missing_ok=True)
        for name, data in ((REPORT, report), *charts.items(), (MODEL, model)):
            with disk_errors("write", self.folder / name, hint=_HINT):
                write_file(self.folder / name, data)

    def load(self) -> Model:
        """
        Read the model; nothing in the file is executed.

        Raises:
            UsageError: There is none, or it is broken.
            StorageError: The disk refuses.
        """
        try:
            with disk_errors("read", self.model, hint=_HINT):
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
    Remove the models that know a person, with their reports; return how many.

    Others can be trained again without the person. A training under way may have read the person's
    pictures before they were withdrawn: it is waited for.

    Raises:
        Busy: It took longer than `wait_s`.
        StorageError: The disk refuses.
    """
    with disk_errors("read", data_dir / MODELS, hint=_HINT):
        folders = sorted(
            folder for folder in (data_dir / MODELS).glob("*/") if not folder.is_symlink()
        )
    mention = re.compile(rb"%s(?![0-9])" % qid.encode())
    return sum(_forget_in(folder, mention, wait_s) for folder in folders)


def _forget_in(folder: Path, mention: re.Pattern[bytes], wait_s: float) -> bool:
    hint = "Forget the person once more when it is done."
    with (
        locked(folder / LOCK, busy=lambda: _busy(folder, hint), wait_s=wait_s),
        disk_errors("remove", folder, hint=_HINT),
    ):
        files: list[Path] = []
        for file in (folder / name for name in (MODEL, REPORT, *CHARTS, *FORMER_CHARTS)):
            files += [one for one in (file, *parts_of(file)) if one.is_file()]
        if not any(mention.search(file.read_bytes()) for file in files if file.suffix != ".png"):
            return False
        # The model goes last: it tells a second time that there is something left to do.
        for file in reversed(files):
            file.unlink()
    return True


def _busy(folder: Path, hint: str) -> Busy:
    return Busy(f"another process trains the model in {folder}", hint=hint)
