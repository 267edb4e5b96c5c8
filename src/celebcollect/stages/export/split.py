"""
Decide on which side of the data set a picture is: by its page alone.

So no picture ever changes sides when the set grows.
"""

from __future__ import annotations

import hashlib
from typing import Literal, get_args
from urllib.parse import urlsplit

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

SHARES = {"train": 80, "validation": 10, "test": 10}
"""Per cent of the groups, not of the pictures: a page with many of them goes to one side whole."""


def split_of(page_url: str | None, sha256: str) -> Split:
    """
    Return the side of a picture; all pictures of one page are on the same one, whoever they show.

    Pages tend to have near copies and shots of one series, which would make a test look better than
    it is.
    """
    group = hashlib.sha256(
        f"split of {_page(page_url) or sha256}".encode("utf-8", "surrogatepass")
    ).digest()
    place = int.from_bytes(group[:8], "big") * 100 >> 64
    for split in SPLITS:
        place -= SHARES[split]
        if place < 0:
            return split
    raise AssertionError("the shares make 100")


def _page(url: str | None) -> str | None:
    """Return host and path of a page; None where there is no page."""
    try:
        parts = urlsplit(url or "")
        host = (parts.hostname or "").rstrip(".").removeprefix("www.")
    except ValueError:
        return None
    return f"{host}{parts.path.rstrip('/')}" if host else None
