"""What the data card says of rights: whose the pictures are, what terms ask, whom to credit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from celebcollect.sources.registry import installed
from celebcollect.sources.terms import holders, strict_sources
from celebcollect.stages.export.markdown import PLAIN_URL, escaped
from celebcollect.stages.export.selection import ExportSummary, Sample
from celebcollect.stages.reasons import ExportReason


def rights(summary: ExportSummary, samples: Sequence[Sample]) -> str:
    """Return the section of the card."""
    text = (
        "## Rights\n\nThe pictures belong to their authors. What the source told of licence and"
        " author is in the metadata of each picture (`licence`, `licence_url`, `author`,"
        " `page_url`); where it told nothing, assume that all rights are reserved. Pictures of"
        " faces are biometric data in many places: know your law."
    )
    text += "".join(f"\n\n{paragraph}" for paragraph in _terms(summary, samples))
    authors = Counter(
        (sample.source, sample.author, sample.licence, sample.licence_url)
        for sample in samples
        if _asks_for_credit(sample)
    )
    if authors:
        lines = [
            f"- {escaped(author) or 'author not told'} ({_licence(licence, url)}), by way of"
            f" {escaped(source)}: {_pictures(n)}"
            for (source, author, licence, url), n in sorted(authors.items())
        ]
        text += (
            "\n\n### Attribution\n\nThe page of each picture is its `page_url`.\n\n"
            + "\n".join(lines)
        )
    return text


def _terms(summary: ExportSummary, samples: Sequence[Sample]) -> Iterator[str]:
    """Yield what the sources' terms say of these pictures, and of those that are not given away."""
    held = Counter(spec.name for sample in samples for spec in holders(sample.source, sample.url))
    strict = strict_sources()
    for spec in strict:
        if held[spec.name]:
            yield (
                f"{held[spec.name]} pictures come from {spec.title}, whose terms forbid machine"
                " learning without an agreement; who exported this set claims one."
            )
    left_out = summary.left_out.get(ExportReason.NEEDS_AGREEMENT, 0)
    if left_out:
        yield (
            f"{left_out} pictures were left out: the terms of their source"
            f" ({' or '.join(spec.title for spec in strict)}) forbid machine learning without an"
            " agreement."
        )
    concerned = [spec for spec in installed() if held[spec.name] or (left_out and spec in strict)]
    yield from (spec.terms.attribution for spec in concerned if spec.terms.attribution)


def _asks_for_credit(sample: Sample) -> bool:
    finder = installed().find(sample.source)
    return bool(sample.author) or (finder is not None and finder.terms.names_licences)


def _licence(licence: str, url: str) -> str:
    told = escaped(licence) or "licence not told"
    return f"{told}, <{url}>" if PLAIN_URL.fullmatch(url) else told


def _pictures(n: int) -> str:
    return f"{n} picture{'s' if n > 1 else ''}"
