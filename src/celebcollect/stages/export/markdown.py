"""Other people's text in Markdown: it is shown as text, and nothing else comes of it."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence

from celebcollect.domain.text import clean_text

_PUNCTUATION = str.maketrans({char: f"\\{char}" for char in string.punctuation})
PLAIN_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
"""A URL that needs no escaping."""


def escaped(text: str) -> str:
    """
    Return text as Markdown that shows exactly this text, on one line.

    All ASCII punctuation may be escaped (CommonMark 0.31, section 2.4).
    """
    return clean_text(text).translate(_PUNCTUATION)


def counts_table(what: str, counts: Counter[str]) -> str:
    """Return a table of texts and how many pictures have each, the most frequent first."""
    rows = [
        (escaped(text), str(n))
        for text, n in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    ]
    return table((what, "pictures"), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
