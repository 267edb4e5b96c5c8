"""Read an owner's wish that a picture be left out of machine learning (X-Robots-Tag)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from celebcollect.web.robots import PRODUCT

_OPT_OUT = frozenset(("noai", "noimageai"))
"""Directives of `X-Robots-Tag` against use in machine learning (DeviantArt, 2022; read by
img2dataset and others)."""

_WITH_VALUE = frozenset(
    ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")
)
"""Directives that are followed by a colon themselves, and so are no names of crawlers."""


def opted_out(lines: Iterable[str]) -> bool:
    """Tell whether lines of the header, for everybody or for us by name, forbid that use."""
    for line in lines:
        for_us = True
        for part in line.lower().split(","):
            name, colon, rest = part.partition(":")
            directive = part
            if (
                colon
                and re.fullmatch(r"\s*(\*|[a-z][a-z0-9_-]*)\s*", name)
                and name.strip() not in _WITH_VALUE
            ):
                for_us = name.strip() in ("*", PRODUCT)
                directive = rest
            if for_us and directive.strip() in _OPT_OUT:
                return True
    return False
