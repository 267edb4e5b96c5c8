"""
Every error that a user may see, and the exit code that goes with it.

    CelebCollectError (1)
    ├── UsageError (2)
    │   └── ConfigError
    ├── ServiceError (3)          a service cannot be reached or refuses us
    │   ├── BusError              the log or Kafka
    │   │   └── MessageTooLarge   some messages are over the limit, all others are published
    │   ├── CatalogueError        the catalogue or MongoDB
    │   ├── SourceError           Wikidata or a source of pictures
    │   │   └── SourceBlocked     the source asks us to stay away for a while
    │   └── Busy                  another process holds what we need
    ├── StorageError (1)          the disk: full, read-only, no permission
    ├── NothingProduced (4)       finished, but produced nothing although there was work
    ├── Unmended (4)              `verify` found what does not agree, and it is not mended
    └── Interrupted (130)

Losing one item for an expected reason is not an error but a counted reason (`domain.tally.Tally`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

EXIT_CODES: Mapping[int, str] = {
    0: "done",
    1: "unexpected error, or the disk refuses",
    2: "wrong usage or configuration",
    3: "a service cannot be reached or refuses us, or another process holds what we need",
    4: "finished, but produced nothing although there was work; `verify`: something is wrong",
    130: "interrupted by Ctrl-C or SIGTERM; what was finished is kept",
}


class CelebCollectError(Exception):
    """
    Trouble that a user can understand.

    `message` says what and which value, `hint` what to do next. Neither may carry a secret: `cli`
    prints them as they are, and nobody else prints them.
    """

    exit_code: ClassVar[int] = 1
    advice: ClassVar[str] = "The line below the message says what to do."
    """What helps against most errors of this class; the `hint` of each one says more."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(CelebCollectError):
    """The command line asks for something that cannot be."""

    exit_code = 2
    advice = "`celebcollect COMMAND --help` says what the command takes."


class ConfigError(UsageError):
    """The configuration is missing, broken or holds an unusable value."""

    advice = "`celebcollect init` writes a configuration file that names every key."


class ServiceError(CelebCollectError):
    """A service cannot be reached or refuses us."""

    exit_code = 3
    advice = "`celebcollect doctor` tries every service and says what works."


class BusError(ServiceError):
    """The message log (embedded or Kafka) failed."""


class MessageTooLarge(BusError):
    """These messages are over the broker's limit; all the others of the same call are durable."""

    advice = "Raise `max.message.bytes` of the topic in Kafka."

    def __init__(
        self,
        message: str,
        *,
        hint: str,
        items: tuple[tuple[str | None, bytes | None], ...] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.items = items
        """Key and value of each message that is too large."""


class CatalogueError(ServiceError):
    """The catalogue (embedded or MongoDB) failed."""


class SourceError(ServiceError):
    """A source of people or pictures failed for everybody, not just for one person."""


class SourceBlocked(SourceError):
    """A source asks us to stay away: a captcha, a quota or a ban."""

    advice = "Wait; `run-all` leaves the source alone by itself and goes on with the others."

    def __init__(self, message: str, *, hint: str, until: datetime | None = None) -> None:
        super().__init__(message, hint=hint)
        self.until = until
        """When it may be asked again, if that is known."""


class Busy(ServiceError):
    """Another live process holds the lock that this one needs."""

    advice = "Wait until the other process ends, or end it."


class StorageError(CelebCollectError):
    """The disk refuses: full, read-only, no permission."""

    advice = "Check the disk and the rights on `data_dir`, then run the same command again."


class NothingProduced(CelebCollectError):
    """A stage had work, finished it, and nothing came out."""

    exit_code = 4
    advice = "The reasons in the summary say why; `celebcollect explain REASON` explains each."


class Unmended(CelebCollectError):
    """Catalogue, files, topic and notes do not agree, and that is not mended."""

    exit_code = 4
    advice = "`celebcollect verify --fix` mends what can be mended."


class Interrupted(CelebCollectError):
    """Ctrl-C or SIGTERM ended the work early; what was finished is kept."""

    exit_code = 130
    advice = "Run the same command again: it goes on where it ended."
