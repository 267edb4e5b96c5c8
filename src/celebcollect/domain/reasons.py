"""
The base of every reason for which a person, a URL or a picture is left out.

Each room, each source and each check declares its own reasons where it counts them, as members of
a subclass of `Reason`. `celebcollect.explain` gathers them for the gallery, the documentation and
the command `explain`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """
    A word that is counted, the stage that counts it, what it means, and what a user can do.

    A subclass declares its members like this:

        TOO_SMALL = "too_small", "clean", "The shorter side is ...", "Lower the limit ..."

    The word is stored in catalogues, so it never changes. A catalogue of another version may hold
    words that no member has: what is read from there is plain text, only what is counted is a
    `Reason`.
    """

    stage: str
    """The stage that counts the word first: `sources`, `clean` and so on."""
    meaning: str
    """One sentence."""
    advice: str
    """What to do about it, in one or two sentences; empty where nothing needs doing."""

    def __new__(cls, word: str, stage: str, meaning: str, advice: str = "") -> Self:
        """Make a member whose value is the word alone."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.stage, member.meaning, member.advice = stage, meaning, advice
        return member
