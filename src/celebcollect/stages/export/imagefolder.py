"""
One folder per side and person, as torchvision reads it.

`metadata.jsonl` in each side is what Hugging Face's `datasets` reads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from celebcollect.domain.batches import batches
from celebcollect.stages.export.selection import Sample
from celebcollect.stages.export.split import SPLITS
from celebcollect.stages.export.writing import Job, Written, json_lines

TOGETHER = 64
"""Pictures that are flushed to the disk together; as many are in memory."""


def write(job: Job, samples: Sequence[Sample]) -> Written:
    """Copy what is not there yet to `<split>/<QID>/<sha256>.<extension>`, then write the lists."""
    there = [sample for batch in batches(samples, TOGETHER) for sample in _copy(job, batch)]
    lists = {}
    for split in SPLITS:
        data = json_lines(
            {"file_name": _path(sample).partition("/")[2], **sample.row()}
            for sample in there
            if sample.split == split
        )
        if data:
            job.target.text(f"{split}/metadata.jsonl", data)
            lists[f"{split}/metadata.jsonl"] = hashlib.sha256(data).hexdigest()
    return Written(there, {*map(_path, there), *lists}, lists)


def _path(sample: Sample) -> str:
    return f"{sample.split}/{sample.qid}/{sample.sha256}.{sample.extension}"


def _copy(job: Job, samples: Sequence[Sample]) -> list[Sample]:
    """Copy what is not there; return what is there then."""
    there, new = [], []
    for sample in samples:
        if job.target.holds(
            _path(sample), sample.stamp_ns, None if sample.face else (sample.bytes, sample.sha256)
        ):
            job.tally.count("unchanged")
            there.append(sample)
        elif (data := job.read(sample)) is not None:
            new.append((_path(sample), data, sample.stamp_ns))
            there.append(sample)
    job.target.put(new)
    job.tally.count("written", len(new))
    return there
