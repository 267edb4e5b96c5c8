"""
Tar files as the `webdataset` library reads them.

Each picture is two members: `<QID>_<sha256>.jpg` and `<QID>_<sha256>.json`.

Pictures are in the order of their digests, so shards mix the people. Where a shard begins and ends
follows from the digests of the pictures near it: one picture more or less changes one shard, or
splits or joins two; the others get new numbers at most.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import IO, BinaryIO, cast

from celebcollect.stages.export.crops import MAX_BYTES
from celebcollect.stages.export.index import Shard
from celebcollect.stages.export.selection import Sample
from celebcollect.stages.export.split import SPLITS
from celebcollect.stages.export.writing import Job, Written, json_lines, to_json

MAX_BITS = 64
"""Of the digest that are looked at: more are alike only where the same picture is there for several
people."""

SAVE_EVERY_S = 30.0
"""How often the index is written meanwhile: what a kill -9 may cost."""

_BLOCK = 512
"""Of a tar file, in bytes: a header takes one, data is filled up to whole ones."""


def write(job: Job, samples: Sequence[Sample], *, max_bytes: int) -> Written:
    """Write the shards that are not there yet, then the list."""
    plan = [
        entry
        for split in SPLITS
        for entry in _plan(
            split, [sample for sample in samples if sample.split == split], max_bytes
        )
    ]
    _renumber(job, plan)
    shards: dict[str, Shard] = {}
    places: dict[str, str] = {}
    saved = time.monotonic()
    for name, content in plan:
        shard, there = _shard(job, name, content)
        if shard:
            shards[name] = shard
            places.update((sample.key, name) for sample in there)
        if time.monotonic() > saved + SAVE_EVERY_S:
            _save(job, {**job.target.index.shards, **shards})
            saved = time.monotonic()
    _save(job, shards)
    written = [sample for sample in samples if sample.key in places]
    data = json_lines(
        {"key": _key(sample), "split": sample.split, "shard": places[sample.key], **sample.row()}
        for sample in written
    )
    job.target.text("metadata.jsonl", data)
    return Written(written, set(shards), {"metadata.jsonl": hashlib.sha256(data).hexdigest()})


def _save(job: Job, shards: dict[str, Shard]) -> None:
    job.target.save(job.target.index.model_copy(update={"shards": shards}))


def _plan(split: str, samples: Sequence[Sample], max_bytes: int) -> list[tuple[str, list[Sample]]]:
    """Return the names of a side's shards and what goes into each."""
    shards = list(
        _cut(sorted(samples, key=lambda sample: (sample.sha256, sample.qid)), 0, max_bytes)
    )
    return [
        (f"{split}-{number:05}-of-{len(shards):05}.tar", content)
        for number, content in enumerate(shards)
    ]


def _cut(samples: list[Sample], bit: int, max_bytes: int) -> Iterator[list[Sample]]:
    """
    Yield the pictures, sorted by digest, in groups of at most `max_bytes`.

    Where they are more, they are halved by one bit of the digest after the other.
    """
    if len(samples) <= 1 or bit == MAX_BITS or sum(map(_size, samples)) <= max_bytes:
        if samples:
            yield samples
        return
    middle = bisect_left(
        samples, 1, key=lambda sample: int(sample.sha256[:16], 16) >> (MAX_BITS - 1 - bit) & 1
    )
    yield from _cut(samples[:middle], bit + 1, max_bytes)
    yield from _cut(samples[middle:], bit + 1, max_bytes)


def _renumber(job: Job, plan: Sequence[tuple[str, list[Sample]]]) -> None:
    """
    Give shards that are there under another number the new one, without writing them again.

    The old names go away in the end.
    """
    known = job.target.index.shards
    there = {
        shard.digest: name for name, shard in known.items() if job.target.unchanged(name, shard)
    }
    moves = {
        name: there[digest]
        for name, content in plan
        if (digest := _digest(content)) in there and there[digest] != name
    }
    if moves and job.target.link(moves):
        _save(job, {**known, **{name: known[old] for name, old in moves.items()}})


def _size(sample: Sample) -> int:
    """Return what a picture takes at most in a tar file, its metadata included."""
    parts = (MAX_BYTES if sample.face else sample.bytes, len(_metadata(sample)))
    return sum(_BLOCK + -(-size // _BLOCK) * _BLOCK for size in parts)


def _shard(job: Job, name: str, content: Sequence[Sample]) -> tuple[Shard | None, list[Sample]]:
    """
    Write a shard unless it is there already; return it and the pictures in it.

    No shard is made when none of them can be read.
    """
    known = job.target.index.shards.get(name)
    if known and known.digest == _digest(content) and job.target.unchanged(name, known):
        job.tally.count("unchanged")
        return known, list(content)
    readable = ((sample, data) for sample in content if (data := job.read(sample)) is not None)
    first = next(readable, None)
    if first is None:
        return None, []
    there: list[Sample] = []
    with job.target.writing(name) as file:
        hashed = _Hashed(file)
        # A write method is enough for a stream, whatever the type of `fileobj` asks for.
        stream = cast("IO[bytes]", hashed)
        with tarfile.open(fileobj=stream, mode="w|", format=tarfile.USTAR_FORMAT) as tar:
            for sample, data in chain([first], readable):
                _add(tar, f"{_key(sample)}.jpg", data)
                _add(tar, f"{_key(sample)}.json", _metadata(sample))
                there.append(sample)
    job.tally.count("written")
    status = (job.target.folder / name).lstat()
    return (
        Shard(
            digest=_digest(there),
            sha256=hashed.hexdigest(),
            bytes=status.st_size,
            mtime_ns=status.st_mtime_ns,
        ),
        there,
    )


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    # Every TarInfo starts with owner 0 and time 0, so that the same pictures make the same bytes
    # everywhere.
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))


def _key(sample: Sample) -> str:
    return f"{sample.qid}_{sample.sha256}"


def _metadata(sample: Sample) -> bytes:
    return to_json(sample.row())


def _digest(content: Sequence[Sample]) -> str:
    digest = hashlib.sha256()
    for sample in content:
        digest.update(f"{_key(sample)} {sample.stamp_ns} ".encode() + _metadata(sample) + b"\n")
    return digest.hexdigest()


class _Hashed:
    """Passes on what is written, and hashes it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        return self._file.write(data)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()
