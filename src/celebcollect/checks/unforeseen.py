"""Keep what nobody foresaw about one picture to that picture.

A file from anywhere may bring an exception that no test has seen. It is logged with its traceback
and becomes a reason of this picture: whoever publishes such a file must not stop the cleaning of
all the others.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from celebcollect.domain.errors import CelebCollectError
from celebcollect.domain.text import clean_text
from celebcollect.pictures.formats import NotAPicture

log = logging.getLogger(__name__)

_MAX_DETAIL = 200


class Unforeseen(Exception):
    """A look at one picture ended with an exception that nobody expects there."""


@contextmanager
def about_one_picture(check: str, picture: str) -> Iterator[None]:
    """
    Raise `Unforeseen` instead of any exception that is no error of this program.

    Trouble with the world (a disk, memory) passes: it says nothing about the picture.

    Args:
        check: Who looks at the picture, for the log.
        picture: Its id.

    Raises:
        Unforeseen: Its text is the detail of a rejection.
    """
    try:
        yield
    except (CelebCollectError, NotAPicture, MemoryError):
        raise
    except Exception as error:
        log.warning("check failed over a picture check=%s id=%s", check, picture, exc_info=True)
        told = clean_text(f"{type(error).__name__}: {error}")
        raise Unforeseen(told[:_MAX_DETAIL]) from error
