"""The data card: README.md with what is in the set, where it comes from, how it was cleaned, and what it is not fit for.

Names, authors and licences are other people's text: in Markdown they are text and nothing else.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from celebcollect import __version__
from celebcollect.catalogue.base import Catalogue
from celebcollect.checks import fingerprint
from celebcollect.checks.base import Check
from celebcollect.domain.text import clean_text
from celebcollect.sources.registry import installed
from celebcollect.sources.terms import holders, strict_sources
from celebcollect.stages.export.crops import SIDE_PX
from celebcollect.stages.export.selection import Sample, Summary
from celebcollect.stages.export.split import SHARES, SPLITS
from celebcollect.stages.export.writing import Written, to_json
from celebcollect.stages.reasons import ExportReason

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
"""Of the Hugging Face Hub's dataset cards (huggingface_hub, 2026)."""

_PUNCTUATION = str.maketrans({char: f"\\{char}" for char in string.punctuation})
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")

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
    def of(cls, catalogue: Catalogue, checks: Sequence[Check]) -> Self:
        """Tell it of a collection that is cleaned with these checks."""
        return cls(
            version=__version__,
            checks=[(check.name, check.fingerprint()) for check in checks],
            rejected=catalogue.counts().reasons,
            unclean=len(catalogue.need_cleaning(fingerprint(checks))),
        )


def escaped(text: str) -> str:
    """Return text as Markdown that shows exactly this text, on one line: all ASCII punctuation may be escaped (CommonMark 0.31, 2.4)."""
    return clean_text(text).translate(_PUNCTUATION)


def classes(samples: Sequence[Sample]) -> bytes:
    """Return classes.json: the name of each QID."""
    return to_json({sample.qid: sample.name for sample in samples}, indent=1) + b"\n"


def card(summary: Summary, written: Written, about: About) -> bytes:
    """Return README.md."""
    parts = [
        _front_matter(summary),
        f"# {summary.images} pictures of {summary.people} people",
        (
            f"Collected by celebcollect {about.version} for people whom Wikidata knows. The newest"
            f" picture was downloaded at {summary.newest}; the fingerprint of this set is"
            f" `{summary.fingerprint}`."
        ),
        _how_to_load(summary),
        _contents(summary, written.samples),
        _cleaning(about),
        _rights(summary, written.samples),
        _limits(about),
        _people(written.samples),
    ]
    return "\n\n".join(parts).encode("utf-8", "backslashreplace") + b"\n"


def _front_matter(summary: Summary) -> str:
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


def _how_to_load(summary: Summary) -> str:
    if summary.layout == "imagefolder":
        code = """from datasets import load_dataset

pictures = load_dataset("imagefolder", data_dir="THIS FOLDER")  # image, qid, name, source, licence, author, ...

from torchvision.datasets import ImageFolder

train = ImageFolder("THIS FOLDER/train")  # one class per QID; classes.json has the names"""
    else:
        code = """import glob
import webdataset

train = webdataset.WebDataset(sorted(glob.glob("THIS FOLDER/train-*.tar")), shardshuffle=False).decode("pil").to_tuple("jpg", "json")"""
    text = f"## Load it\n\n```python\n{code}\n```"
    if summary.layout == "webdataset":
        text += (
            "\n\nThe member of every picture is called `.jpg`, so that all samples have the same"
            " parts; its format is in `format` of the metadata, and decoders look at the bytes."
            " `metadata.jsonl` has the metadata of all samples, with the shard of each."
        )
    if summary.crops:
        text += (
            f"\n\nThese are faces, cut out of the pictures: {SIDE_PX} x {SIDE_PX} pixels, turned so"
            " that the eyes are level, with a quarter of the face's width around it, black beyond"
            " the edge of the picture. `width_px`, `height_px`, `bytes`, `format`, `sha256` and"
            " `phash` are those of the whole picture."
        )
    return text


def _contents(summary: Summary, samples: Sequence[Sample]) -> str:
    sides = _table(("split", "pictures"), [(split, str(summary.splits[split])) for split in SPLITS])
    sources = Counter(sample.source for sample in samples)
    licences = Counter(sample.licence or "not told by the source" for sample in samples)
    return (
        f"## What is in it\n\n{sides}\n\nThe side of a picture is decided by the page that it comes"
        f" from ({SHARES['train']} % of the pages are for training, {SHARES['validation']} % for"
        f" validation, {SHARES['test']} % for the test), or by its own digest where no page is"
        " known: pictures of one page, which tend to be near copies, are on one side, and none"
        " changes sides when the set grows. So one person's pictures may all be on one"
        f" side.\n\n{_counts('source', sources)}\n\n{_counts('licence', licences)}"
    )


def _cleaning(about: About) -> str:
    checks = _table(
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
            f" had:\n\n{_counts('reason', Counter(about.rejected))}"
        )
    if about.unclean:
        text += (
            f"\n\nThe pictures of {about.unclean} people wait to be cleaned, or were last cleaned"
            " with other settings than these."
        )
    return text


def _rights(summary: Summary, samples: Sequence[Sample]) -> str:
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


def _terms(summary: Summary, samples: Sequence[Sample]) -> Iterator[str]:
    """Yield what the sources' terms say of these pictures, and of those that are not given away."""
    held = Counter(spec.name for sample in samples for spec in holders(sample.source, sample.url))
    strict = strict_sources()
    for spec in strict:
        if held[spec.name]:
            yield (
                f"{held[spec.name]} pictures come from {spec.title}, whose terms forbid machine learning"
                " without an agreement; who exported this set claims one."
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
    return f"{told}, <{url}>" if _PLAIN_URL.fullmatch(url) else told


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
    return "## People\n\n" + _table(("item", "name", "pictures", *SPLITS), rows)


def _pictures(n: int) -> str:
    return f"{n} picture{'s' if n > 1 else ''}"


def _counts(what: str, counts: Counter[str]) -> str:
    rows = [
        (escaped(text), str(n))
        for text, n in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    ]
    return _table((what, "pictures"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
