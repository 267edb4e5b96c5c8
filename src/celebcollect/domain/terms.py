"""What a source's terms ask of whoever uses its pictures, and how far the source is trusted.

Sources declare both (`sources.spec.SourceSpec`); the stages below act on them and name no source.
Imports nothing heavy, because specs are read at every start.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class MlUse(StrEnum):
    """Whether the source's terms let a picture be used for machine learning."""

    UNSPECIFIED = "unspecified"
    NEEDS_AGREEMENT = "needs agreement"


class Terms(NamedTuple):
    """The terms of one source."""

    name: str = ""
    """What the terms call themselves."""
    url: str = ""
    """Where they can be read."""
    ml_use: MlUse = MlUse.UNSPECIFIED
    """Whether machine learning needs an agreement."""
    keep_days: int | None = None
    """How long a picture may be kept before it is fetched anew; None: for ever."""
    attribution: str = ""
    """A line that must stand wherever the pictures are shown or handed on."""
    names_licences: bool = False
    """Its licences ask for credit: a data card lists its pictures, their author known or not."""
    hosts: tuple[str, ...] = ()
    """Hosts, with everything below them, whose pictures are the source's whoever found them."""

    def own(self, host: str) -> bool:
        """Tell whether a host, in lower case, is one of the source's."""
        name = host.rstrip(".")
        return any(name == own or name.endswith(f".{own}") for own in self.hosts)


class Portrait(StrEnum):
    """Which of a source's pictures may stand as a proof of what the person looks like."""

    NONE = "none"
    FIRST = "first"
    """Its first picture of a person: it proves who the person is before it offers anything."""
    NAMED = "named"
    """The file that Wikidata names as the person's picture (P18)."""


class Trust(NamedTuple):
    """How far a source's word goes."""

    portrait: Portrait = Portrait.NONE
    documented: int = 0
    """How well its pictures are documented: of identical bytes the highest number stays."""
