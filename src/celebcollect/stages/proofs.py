"""What a source has proved to be portraits of a person, as its own process writes it down.

Whoever can write to a topic can publish any picture as anybody's, with any page and rank. So
nothing that a message says makes a picture a portrait: the process that asked the source notes it
in the catalogue, by the identity that the picture's row will have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from celebcollect.domain.records import Celebrity, ImageCandidate, image_id
from celebcollect.domain.terms import Portrait
from celebcollect.sources.base import NamesFiles, Source
from celebcollect.sources.registry import installed
from celebcollect.web import urls

IDENTITY = ""
"""The proof of a source that knows the person by more than a name."""


def proved_portraits(
    source: Source,
    person: Celebrity,
    candidates: Sequence[ImageCandidate],
    before: Mapping[str, str],
) -> dict[str, str] | None:
    """
    Return the portraits among what a source has found, with what they were proved by, by image id.

    Of a source whose files Wikidata names, all files are kept with their titles: whichever Wikidata
    names later is a portrait then. None: the source proves nothing.

    Args:
        source: Has just been searched.
        person: Whose pictures they are.
        candidates: What it found.
        before: What it had proved earlier, which a search that finds nothing does not take back.
    """
    spec = installed().find(source.name)
    proofs: list[tuple[ImageCandidate, str | None]]
    match spec.trust.portrait if spec else Portrait.NONE:
        case Portrait.FIRST:
            proofs = [(candidate, IDENTITY) for candidate in candidates[:1]]
        case Portrait.NAMED:
            proofs = [(candidate, _title_of(source, candidate)) for candidate in candidates]
        case Portrait.NONE:
            return None
    found = {
        image_id(person.qid, urls.canonical(candidate.url)): proof
        for candidate, proof in proofs
        if proof is not None
    }
    kept = {id_: proof for id_, proof in before.items() if proof not in found.values()}
    return {**kept, **found}


def file_title(encoded: str) -> str:
    """Return a file's name as MediaWiki compares it: no underscores, the first letter large."""
    name = " ".join(unquote(encoded).replace("_", " ").split())
    return name[:1].upper() + name[1:]


def _title_of(source: Source, candidate: ImageCandidate) -> str | None:
    asked = (
        source.asked_title(candidate.qid, candidate.url) if isinstance(source, NamesFiles) else None
    )
    if asked is None:
        asked = (candidate.page_url or "").partition("File:")[2]
    return file_title(asked.removeprefix("File:")) or None
