"""Locks between the processes of one machine, and folders that one process at a time writes to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from celebcollect.disk.files import disk_errors, make_folder
from celebcollect.domain.errors import Busy, UsageError


class ProcessLock:
    """
    A lock file with one holder at a time; the kernel frees it when its process dies.

    The file stays when the lock is released: who removed it could take the lock from another.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        # Not for each thread: a lock may be taken in one thread and released in another.
        self._lock = FileLock(file, thread_local=False)

    def take(self, *, wait_s: float = 0.0) -> bool:
        """
        Take the lock; return False when somebody else still has it after `wait_s`.

        Raises:
            StorageError: The file cannot be made or locked.
        """
        with disk_errors("lock", self.file):
            try:
                self._lock.acquire(timeout=wait_s)
            except Timeout:
                return False
        return True

    def release(self) -> None:
        """Give the lock back; one that is not held stays as it is."""
        self._lock.release()


@contextmanager
def locked(file: Path, *, busy: Callable[[], Busy], wait_s: float = 0.0) -> Iterator[None]:
    """
    Hold a lock file during the block.

    Args:
        file: The lock file; its folder must exist.
        busy: Makes the error for the case that somebody else holds it.
        wait_s: How long to wait for the other.

    Raises:
        Busy: Somebody else still holds it after `wait_s`.
        StorageError: The file cannot be made or locked.
    """
    lock = ProcessLock(file)
    if not lock.take(wait_s=wait_s):
        raise busy()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def locked_folder(
    folder: Path, lock: str, *, busy: Callable[[], Busy], wait_s: float = 0.0
) -> Iterator[None]:
    """
    Hold a folder, made when it is missing, for one writer; `lock` is the name of the lock file.

    Raises:
        Busy: Somebody else still holds it after `wait_s`.
        StorageError: The folder cannot be made or locked.
    """
    with disk_errors("make", folder, hint="Name a folder that you may write to."):
        make_folder(folder.absolute())
    with locked(folder / lock, busy=busy, wait_s=wait_s):
        yield


def check_foreign(
    folder: Path, mark: str, *, former: str, hint: str, passing: Collection[str] = ()
) -> bool:
    """
    Tell whether a folder holds our mark; refuse one that holds something else.

    Args:
        folder: It may be missing or empty, which is no error.
        mark: Name of the file that says that the folder is ours.
        former: What we would have written there, for the error: "gallery".
        hint: What to do, for the error.
        passing: Names beside the mark that do not count as something else, such as the lock's.

    Raises:
        UsageError: It is no folder, or holds something else.
        StorageError: It cannot be read.
    """
    with disk_errors("read", folder):
        if not folder.exists():
            return False
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder", hint=hint)
        if (folder / mark).is_file():
            return True
        names = sorted(entry.name for entry in folder.iterdir())
    foreign = next((name for name in names if name not in passing), None)
    if foreign is not None:
        raise UsageError(
            f"{folder} is not empty and no former {former}: it holds {foreign!r}", hint=hint
        )
    return False
