"""Find what somebody hid in a picture file: scripts, archives, programs, data, bombs.

Only what lies outside the coded pixels is searched. What cameras, phones and editors append is
known and forgiven: a picture is thrown out for what it carries, not for being odd.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from celebcollect.checks import containers
from celebcollect.checks.base import (
    Check,
    CheckSettings,
    CheckSpec,
    Facts,
    Picture,
    Rejection,
    missing,
)
from celebcollect.checks.signatures import (
    Finding,
    PayloadReason,
    find_archive,
    find_script,
    is_zip_file,
)
from celebcollect.domain.reasons import Reason
from celebcollect.pictures.metadata_budget import MetadataBomb
from celebcollect.pictures.reasons import PictureReason

VERSION = 1

MAX_STRAY_BYTES = 64
"""Unknown bytes that may follow a picture: servers and editors leave newlines, counters and
checksums behind; no program fits in."""

_PADDING = b"\0\xff \t\r\n\x1a"

_MAX_APPENDED_PICTURES = 64
# a motion photo's; ISO/IEC 14496-12, the size comes before the type
_VIDEO = re.compile(rb"[\0\xff]*?(\0\0..ftyp)", re.DOTALL)
_FURTHER_PICTURE = re.compile(rb"\0*\xff\xd8\xff")

# What follows a JPEG's end of image in honest files (names as in ExifTool's documentation of JPEG
# trailers). A multi-picture file's further pictures (CIPA DC-007; previews, depth, the gain map of
# Ultra HDR) begin like a JPEG and are taken apart as such.
_TRAILER_STARTS = (
    b"CANON OPTIONAL DATA\0",
    b"\x7e\x10\x04\xfe0MIE",
    b"\x7e\x18\x04\xfe0MIE",
    b"vivo{",
    b"SEFH",
)
_TRAILER_ENDS = (b"SEFT", b"cbipcbbl", b"\xa1\xb2\xc3\xd4")  # Samsung; Photo Mechanic; FotoStation
# AFCP, CanonVRD, MIE, Huawei
_TRAILER_NEAR_END = (
    (b"AXS!", 12),
    (b"AXS*", 12),
    (b"CANON OPTIONAL DATA\0", 64),
    (b"zmie~", 24),
    (b"LIVE_", 60),
)


def build(settings: CheckSettings) -> Check:
    """Return the check for `[store] max_pixels`."""
    return Payload(settings.store.max_pixels)


_MEASURED: dict[str, Reason] = {
    reason.value: reason for reason in (*PayloadReason, PictureReason.NOT_AN_IMAGE)
}
"""What `search` may find, by the word that is kept among the facts."""


class Payload:
    """Reject `not_an_image`, `bomb`, `trailing_data`, `embedded_script` and `embedded_archive`."""

    name = "payload"

    def __init__(self, max_pixels: int) -> None:
        self._max_pixels = max_pixels

    def fingerprint(self) -> str:
        """Return version and limit."""
        return f"{VERSION} max_pixels={self._max_pixels}"

    def measure(self, pictures: Sequence[Picture]) -> Iterator[tuple[str, Facts]]:
        """
        Yield what was found in the files that were not searched yet.

        Where all is well that is the version alone.
        """
        for picture in missing(self.name, VERSION, pictures):
            found = search(picture.stored.read(), picture.image.format or "")
            facts: Facts = {"version": VERSION}
            yield (
                picture.image.id,
                facts | ({"reason": found[0].value, "detail": found[1]} if found else {}),
            )

    def reject(self, pictures: Sequence[Picture]) -> Iterator[Rejection]:
        """Yield the pictures that carry something, or that have more pixels than the limit."""
        for picture in pictures:
            image, facts = picture.image, picture.facts(self.name)
            pixels = (image.width_px or 0) * (image.height_px or 0)
            if "reason" in facts:
                reason = _MEASURED[str(facts["reason"])]
                yield Rejection(image.id, reason, detail=str(facts["detail"]))
            elif pixels > self._max_pixels:
                yield Rejection(
                    image.id, PayloadReason.BOMB, detail=f"{image.width_px}x{image.height_px} px"
                )


def search(data: bytes, kind: str) -> Finding | None:
    """Return the first thing in a file of format `kind` that does not belong into a picture."""
    if kind not in containers.FORMATS:
        return PictureReason.NOT_AN_IMAGE, f"unknown format {kind}"
    magic, take_apart = containers.FORMATS[kind]
    if not magic.match(data):
        return PictureReason.NOT_AN_IMAGE, f"does not begin like {kind}"
    if is_zip_file(data):
        return PayloadReason.EMBEDDED_ARCHIVE, "the whole file opens as a ZIP"
    if data[:3] == b"GIF" and data[6:8] in (b"/*", b"=1", b"='", b'="', b"=0"):
        # GIF89a/*...: the width is the start of a comment or an assignment
        return PayloadReason.EMBEDDED_SCRIPT, "the header reads as JavaScript"
    if data[:2] == b"\xff\xd8" and data[4:6] == b"/*":
        return PayloadReason.EMBEDDED_SCRIPT, "the header reads as JavaScript"
    try:
        parts = take_apart(data)
        return _search_parts(parts) or (
            None if parts.end is None else _search_behind(data, parts.end, kind)
        )
    except MetadataBomb as error:
        return PayloadReason.BOMB, f"metadata: {error}"


def _search_parts(parts: containers.Parts) -> Finding | None:
    texts, opaque = b"\n".join(parts.texts), b"\n".join(parts.opaque)
    return (
        find_script(texts, short=True)
        or find_script(opaque)
        or find_archive(texts)
        or find_archive(opaque)
    )


def _search_behind(data: bytes, end: int, kind: str) -> Finding | None:
    if kind == "jpeg":
        for _ in range(_MAX_APPENDED_PICTURES):
            further = _FURTHER_PICTURE.match(data, end)
            if not further:
                break
            appended = containers.jpeg(data, further.end() - 3)
            if found := _search_parts(appended):
                return found
            if appended.end is None:
                return None
            end = appended.end
    behind = data[end:]
    length = len(behind.strip(_PADDING))
    if not length:
        return None
    if found := find_script(behind, short=length <= MAX_STRAY_BYTES) or find_archive(behind):
        return found
    if length <= MAX_STRAY_BYTES or (kind == "jpeg" and _is_known_trailer(behind)):
        return None
    return PayloadReason.TRAILING_DATA, f"{len(behind)} bytes after the picture"


def _is_known_trailer(behind: bytes) -> bool:
    video = _VIDEO.match(behind)
    if video and any(containers.iso_boxes(behind, video.start(1))):
        return True
    near_end = any(mark in behind[-reach:] for mark, reach in _TRAILER_NEAR_END)
    return (
        near_end
        or behind.lstrip(_PADDING).startswith(_TRAILER_STARTS)
        or behind.rstrip(_PADDING).endswith(_TRAILER_ENDS)
    )


SPEC = CheckSpec(name="payload", order=30, build=build, reasons=(PayloadReason, PictureReason))
