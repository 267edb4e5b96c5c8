"""
The data card: README.md with what is in the set, where it comes from, how it was cleaned.

It also tells what the set is not fit for.

Names, authors and licences are other people's text: in Markdown they are text and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from celebcollect import __version__
from celebcollect.catalogue.base import Images, Work
from celebcollect.checks import fingerprint
from celebcollect.checks.base import Check
from celebcollect.stages.export.loaders import how_to_load
from celebcollect.stages.export.markdown import counts_table, escaped, table
from celebcollect.stages.export.rights import rights
from celebcollect.stages.export.selection import ExportSummary, Sample
from celebcollect.stages.export.split import SHARES, SPLITS
from celebcollect.stages.export.writing import Written, to_json

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
"""Of the Hugging Face Hub's dataset cards (huggingface_hub, 2026)."""

_WHY = {
    "readable": "cannot be decoded, or is cut off",
    "size": "too small",
    "payload": (
        "carries something that is no picture: scripts, archives, foreign data behind its end"
    ),
    "quality": "too blurred, blank or narrow",
    "shared": "the same picture came for several people, so one of them at least is wrong",
    "duplicate": "a copy of another picture of the person; the largest stays",
    "faces": "no face, or none that is large enough",
    "identity": "the face of somebody else",
}


class AboutCatalogue(Images, Work, Protocol):
    """What a data card tells of the cleaning."""


@dataclass(frozen=True, slots=True)
class About:
    """How the pictures were made and cleaned."""

    version: str
    """Of celebcollect."""
    checks: Sequence[tuple[str, str]]
    """Name of each check with its version and settings."""
    rejected: Mapping[str, int]
    """Reasons for which pictures of the collection were thrown out or could not be had."""
    unclean: int = 0
    """People whose pictures wait to be cleaned, or were last cleaned with other settings."""

    @classmethod
    def of(cls, catalogue: AboutCatalogue, checks: Sequence[Check]) -> Self:
        """Tell it of a collection that is cleaned with these checks."""
        return cls(
            version=__version__,
            checks=[(check.name, check.fingerprint()) for check in checks],
            rejected=catalogue.counts().reasons,
            unclean=len(catalogue.need_cleaning(fingerprint(checks))),
        )


def numbers(samples: Sequence[Sample]) -> bytes:
    """Return classes.txt: the QIDs, whose line numbers are the same in every split."""
    return "".join(f"{qid}\n" for qid in sorted({sample.qid for sample in samples})).encode()


def classes(samples: Sequence[Sample]) -> bytes:
    """Return classes.json: the name of each QID."""
    return to_json({sample.qid: sample.name for sample in samples}, indent=1) + b"\n"


def card(summary: ExportSummary, written: Written, about: About) -> bytes:
    """Return README.md."""
    parts = [
        _front_matter(summary),
        f"# {summary.images} pictures of {summary.people} people",
        (
            f"Collected by celebcollect {about.version} for people whom Wikidata knows. The newest"
            f" picture was downloaded at {summary.newest}; the fingerprint of this set is"
            f" `{summary.fingerprint}`."
        ),
        how_to_load(summary),
        _contents(summary, written.samples),
        _cleaning(about, written.samples),
        rights(summary, written.samples),
        _limits(about),
        _people(written.samples),
    ]
    return "\n\n".join(parts).encode("utf-8", "backslashreplace") + b"\n"


def _front_matter(summary: ExportSummary) -> str:
    # Nothing of other people's text is in here, so nothing needs quoting.
    size = next((name for limit, name in _SIZES if summary.images < limit), "n>10M")
    pattern = "{}/**" if summary.layout == "imagefolder" else "{}-*.tar"
    lines = [
        "---",
        "pretty_name: celebcollect faces",
        "license: other",
        "license_name: per-picture",
        "license_link: README.md",
    ]
    lines += [
        "task_categories:",
        "- image-classification",
        "tags:",
        "- face-recognition",
        "size_categories:",
        f"- {size}",
    ]
    sides = [split for split in SPLITS if summary.splits[split]]
    if sides:
        lines += ["configs:", "- config_name: default", "  data_files:"]
        for split in sides:
            lines += [f"  - split: {split}", f'    path: "{pattern.format(split)}"']
    return "\n".join([*lines, "---"])


def _contents(summary: ExportSummary, samples: Sequence[Sample]) -> str:
    sides = table(("split", "pictures"), [(split, str(summary.splits[split])) for split in SPLITS])
    sources = Counter(sample.source for sample in samples)
    licences = Counter(sample.licence or "not told by the source" for sample in samples)
    return (
        f"## What is in it\n\n{sides}\n\nThe side of a picture is decided by the page that it comes"
        f" from ({SHARES['train']} % of the pages are for training, {SHARES['validation']} % for"
        f" validation, {SHARES['test']} % for the test), or by its own digest where no page is"
        " known: pictures of one page, which tend to be near copies, are on one side, and none"
        " changes sides when the set grows. So one person's pictures may all be on one"
        f" side.\n\n{counts_table('source', sources)}\n\n{counts_table('licence', licences)}"
    )


def _cleaning(about: About, samples: Sequence[Sample]) -> str:
    checks = table(
        ("check", "throws out", "version and settings"),
        [(escaped(name), _WHY.get(name, ""), escaped(settings)) for name, settings in about.checks],
    )
    text = (
        "## How it was cleaned\n\nEvery file was decoded and proved to be a picture when it was"
        " downloaded; its bytes are as they came, but for the place where it was taken: GPS in"
        " EXIF and XMP is blanked, and `sha256` is the digest from before. Then these checks"
        f" decided, in this order:\n\n{checks}"
    )
    if about.rejected:
        text += (
            "\n\nIn the whole collection, these pictures were thrown out or could not be"
            f" had:\n\n{counts_table('reason', Counter(about.rejected))}"
        )
    overruled = Counter(sample.overruled for sample in samples if sample.overruled)
    if overruled:
        text += (
            f"\n\n{overruled.total()} pictures of this set were thrown out by a check and brought"
            " back by a person, against these"
            f" reasons:\n\n{counts_table('overruled reason', overruled)}"
        )
    if about.unclean:
        text += (
            f"\n\nThe pictures of {about.unclean} people wait to be cleaned, or were last cleaned"
            " with other settings than these."
        )
    return text


def _limits(about: About) -> str:
    lines = [
        (
            "- Who is in a picture was not looked at by a human being: searches return wrong"
            " people, and the checks find most of them, not all."
        ),
        (
            "- Whom Wikidata describes and who is photographed is no fair sample of mankind: expect"
            " bias in gender, origin and age."
        ),
        (
            "- The people did not agree to be in it: do not use it to watch, to follow or to judge"
            " anybody."
        ),
        (
            "- Who asks to be removed must be: export again after `celebcollect forget QID`, and"
            " delete older copies."
        ),
    ]
    if "faces" not in {name for name, _ in about.checks}:
        lines.insert(
            0, "- Faces were not looked at: there may be pictures without a face, or with several."
        )
    return "## Known limits\n\n" + "\n".join(lines)


def _people(samples: Sequence[Sample]) -> str:
    names = {sample.qid: sample.name for sample in samples}
    counts = Counter((sample.qid, sample.split) for sample in samples)
    rows = []
    for qid, name in names.items():
        sides = [counts[qid, split] for split in SPLITS]
        rows.append(
            (
                f"[{qid}](https://www.wikidata.org/wiki/{qid})",
                escaped(name),
                str(sum(sides)),
                *map(str, sides),
            )
        )
    return "## People\n\n" + table(("item", "name", "pictures", *SPLITS), rows)
