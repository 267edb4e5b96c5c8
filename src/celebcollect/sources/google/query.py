"""Turn a person into the addresses of result pages.

A name is data: nothing in it can become an operator of the search.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

from celebcollect.domain.records import Celebrity
from celebcollect.sources.google.settings import GoogleConfig

MAX_WORDS = 32
"""Google ignores what comes after so many words."""

_SIZES = {"": "", "large": "isz:l", "medium": "isz:m", "icon": "isz:i"}
_LICENCES = {"": "", "creative-commons": "sur:cl", "commercial": "sur:ol"}
_QID = re.compile(r"Q[0-9]+")

# Quotation marks of all kinds, brackets, wildcard, alternative, ranges; the colon makes a word an
# operator (site:).
_SIGNS = re.compile(r'["“”„‟«»＂()\[\]{}<>*|:：=]|\.{2,}')
_WORDS = frozenset({"AND", "OR", "NOT", "AROUND"})


def queries(person: Celebrity, settings: GoogleConfig) -> Iterator[str]:
    """
    Yield the texts to search for a person, by template.

    None for a person whose name holds nothing that can be searched.
    """
    name = as_data(person.name)
    if not name:
        return
    occupation = as_data(
        next((text for text in person.professions if not _QID.fullmatch(text)), "")
    )
    seen = set()
    for template in settings.query_templates:
        # Not str.format: a name with braces in it is no template.
        parts = re.split(r"(\{name\}|\{occupation\})", template)
        text = "".join(
            {"{name}": name, "{occupation}": occupation}.get(part, part) for part in parts
        )
        query = " ".join(text.replace('""', "").split()[:MAX_WORDS])
        if query not in seen:
            seen.add(query)
            yield query


def as_data(text: str) -> str:
    """
    Return a text whose words are searched as they are.

    No quotes, no exclusion by `-`, no `site:`, no `OR`.
    """
    words = (word.lstrip("-+~@#−–—") for word in _SIGNS.sub(" ", text).split())
    return " ".join(
        word.lower() if word in _WORDS else word for word in words if any(map(str.isalnum, word))
    )


def address(query: str, settings: GoogleConfig) -> str:
    """Return the URL of the result page: Google Images, with language, SafeSearch and filters."""
    size = _SIZES.get(settings.size, f"isz:lt,islt:{settings.size}")
    filters = ",".join(
        filter(None, (size, "itp:face" if settings.face else "", _LICENCES[settings.licence]))
    )
    parts = urlsplit(settings.search_url)
    # udm=2 is Google Images since 2024.
    parameters = [
        *parse_qsl(parts.query, keep_blank_values=True),
        ("q", query),
        ("udm", "2"),
        ("hl", settings.language),
        ("safe", settings.safe),
    ]
    if filters:
        parameters.append(("tbs", filters))
    return parts._replace(query=urlencode(parameters), fragment="").geturl()
