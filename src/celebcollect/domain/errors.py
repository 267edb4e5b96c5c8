"""Every error that a user may see, and the exit code that goes with it.

    CelebCollectError (1)
    ├── UsageError (2)
    │   └── ConfigError (2)
    ├── ServiceError (3)          a service cannot be reached or refuses us
    │   ├── BusError              the log or Kafka
    │   │   └── MessageTooLarge   some messages are over the broker's limit, the others are there
    │   ├── CatalogueError        the catalogue or MongoDB
    │   ├── SourceError           a source of people or of pictures
    │   │   └── SourceBlocked     the source asks us to stay away for a while
    │   └── Busy                  another process holds what we need
    ├── StorageError (1)          the disk: full, read-only, no permission
    ├── NothingProduced (4)       finished, but produced nothing although there was work
    └── Interrupted (130)

Losing one item for an expected reason is not an error but a counted reason (`tally.Tally`).
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar


class CelebCollectError(Exception):
    """
    Trouble that a user can understand: `message` says what and which value, `hint` what to do next.

    Neither may carry a secret: only `cli` prints them, and it prints them as they are.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(CelebCollectError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class ConfigError(UsageError):
    """The configuration is missing, broken or holds an unusable value."""


class ServiceError(CelebCollectError):
    """A service cannot be reached or refuses us."""

    exit_code = 3


class BusError(ServiceError):
    """The message log (embedded or Kafka) failed."""


class MessageTooLarge(BusError):
    """These messages, `items` of key and value, are over the broker's limit; all the others of the same call are durable."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        items: tuple[tuple[str | None, bytes | None], ...] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.items = items


class CatalogueError(ServiceError):
    """The catalogue (embedded or MongoDB) failed."""


class SourceError(ServiceError):
    """A source of people or pictures failed for everybody, not just for one person."""


class SourceBlocked(SourceError):
    """A source asks us to stay away (captcha, quota, ban); `until` is when it may be asked again, if known."""

    def __init__(self, message: str, *, hint: str = "", until: datetime | None = None) -> None:
        super().__init__(message, hint=hint)
        self.until = until


class Busy(ServiceError):
    """Another live process holds the lock that this one needs."""


class StorageError(CelebCollectError):
    """The disk refuses: full, read-only, no permission."""


class NothingProduced(CelebCollectError):
    """A stage had work, finished it, and nothing came out."""

    exit_code = 4


class Interrupted(CelebCollectError):
    """Ctrl-C or SIGTERM ended the work early; what was finished is kept."""

    exit_code = 130
