"""
Describe the set for programs: Croissant 1.0, which data set searches read.

The specification: docs.mlcommons.org/croissant/docs/croissant-spec-1.0.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from celebcollect.stages.export.index import Index
from celebcollect.stages.export.selection import COLUMNS, ExportSummary, Sample
from celebcollect.stages.export.split import SPLITS
from celebcollect.stages.export.writing import Written, to_json

MAX_LICENCES = 100
"""Addresses of licences that are listed; there are a few dozen in the world, but anybody may invent
more."""

_MEDIA_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "avif": "image/avif",
}

_DECODED = ("image/jpeg", "image/png")
"""What the reference reader (mlcroissant 1.1) decodes; the files of other formats are told of,
their content is not offered as records."""

_TYPES = {"int": "sc:Integer", "str": "sc:Text", "datetime": "sc:DateTime"}

_SHORT = (
    "citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject",
    "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField",
    "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate",
    "separator", "source", "subField", "transform",
)  # fmt: skip

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{name: f"cr:{name}" for name in _SHORT},
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}
"""The one that the specification fixes."""


def describe(summary: ExportSummary, written: Written, index: Index) -> bytes:
    """Return croissant.json."""
    shards = {path: index.shards[path] for path in sorted(written.files) if path in index.shards}
    lists = [_list(path, sha256) for path, sha256 in written.lists.items()]
    if summary.layout == "imagefolder":
        distribution = lists + _folders(written.samples)
        records = [
            _records(path.partition("/")[0], path, ("file_name", *COLUMNS))
            for path in written.lists
        ]
    else:
        distribution = (
            lists
            + [_tar(path, shard.bytes, shard.sha256) for path, shard in shards.items()]
            + _members(shards)
        )
        records = [
            _records("metadata", path, ("key", "split", "shard", *COLUMNS))
            for path in written.lists
        ]
    records += [
        _pictures(part["@id"])
        for part in distribution
        if part["@type"] == "cr:FileSet" and part["encodingFormat"] in _DECODED
    ]
    return to_json(_data_set(summary, written.samples, distribution, records), indent=1) + b"\n"


def _data_set(
    summary: ExportSummary, samples: Iterable[Sample], distribution: list[Any], records: list[Any]
) -> dict[str, Any]:
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "celebcollect-faces",
        "description": (
            f"{summary.images} pictures of {summary.people} people whom Wikidata knows, with"
            " source, licence and author; see README.md."
        ),
        "url": "https://www.wikidata.org/",
        "creator": {"@type": "sc:Organization", "name": "The users of celebcollect"},
        "citeAs": f"celebcollect faces, fingerprint {summary.fingerprint}",
        "datePublished": summary.newest[:10],
        "version": "1.0.0",
        "license": _licences(samples),
        "rai:personalSensitiveInformation": (
            "Names and faces of real people, by their Wikidata items."
        ),
        "rai:dataLimitations": (
            "Nobody looked at every picture: there are wrong people among them. See README.md."
        ),
        "distribution": distribution,
        "recordSet": records,
    }


def _licences(samples: Iterable[Sample]) -> list[str]:
    told = sorted({sample.licence_url for sample in samples if _is_address(sample.licence_url)})[
        :MAX_LICENCES
    ]
    return [
        *told,
        "Each picture has its own, see its metadata; where none is told, all rights are reserved.",
    ]


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and text.isascii()
            and text.isprintable()
            and " " not in text
        )
    except ValueError:
        return False


def _list(path: str, sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "encodingFormat": "application/jsonlines",
        "sha256": sha256,
    }


def _tar(path: str, size: int, sha256: str) -> dict[str, Any]:
    facts = {
        "contentUrl": path,
        "contentSize": f"{size} B",
        "encodingFormat": "application/x-tar",
        "sha256": sha256,
    }
    return {"@type": "cr:FileObject", "@id": path, "name": path, **facts}


def _folders(samples: Iterable[Sample]) -> list[dict[str, Any]]:
    kinds = {(sample.split, sample.extension) for sample in samples}
    return [
        _file_set(
            f"{split}-{extension}",
            f"{split}/*/*.{extension}",
            _MEDIA_TYPES.get(extension, f"image/{extension}"),
        )
        for split in SPLITS
        for extension in sorted(extension for side, extension in kinds if side == split)
    ]


def _members(shards: Iterable[str]) -> list[dict[str, Any]]:
    sets = []
    for split in SPLITS:
        tars = [{"@id": path} for path in shards if path.startswith(f"{split}-")]
        if tars:
            sets.append(
                {**_file_set(f"{split}-pictures", "*.jpg", "image/jpeg"), "containedIn": tars}
            )
    return sets


def _file_set(name: str, pattern: str, media_type: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "encodingFormat": media_type,
        "includes": pattern,
    }


def _records(name: str, path: str, columns: Sequence[str]) -> dict[str, Any]:
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"{name}/{column}",
            "name": column,
            "dataType": _TYPES.get(COLUMNS.get(column, "str"), "sc:Text"),
            "source": {"fileObject": {"@id": path}, "extract": {"column": column}},
        }
        for column in columns
    ]
    key = {"@id": f"{name}/{columns[0]}"}
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": "The metadata of the pictures.",
        "key": key,
        "field": fields,
    }


def _pictures(file_set: str) -> dict[str, Any]:
    name = f"{file_set}-content"

    def field(column: str, kind: str, what: str) -> dict[str, Any]:
        source = {"fileSet": {"@id": file_set}, "extract": {"fileProperty": what}}
        return {
            "@type": "cr:Field",
            "@id": f"{name}/{column}",
            "name": column,
            "dataType": kind,
            "source": source,
        }

    fields = [
        field("image", "sc:ImageObject", "content"),
        field("file_name", "sc:Text", "filename"),
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": "The pictures and the names of their files.",
        "field": fields,
    }
