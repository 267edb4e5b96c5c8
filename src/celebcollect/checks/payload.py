"""Find what somebody hid in a picture file: scripts, archives, programs, data, bombs.

What lies outside the coded pixels is searched, and the coded bytes for what no pixels look like by
chance: decoders skip what follows the last pixel. What cameras, phones and editors append is
known and forgiven: a picture is thrown out for what it carries, not for being odd.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from celebcollect.checks import containers, trailers
from celebcollect.checks.base import (
    Check,
    CheckSettings,
    CheckSpec,
    Facts,
    Picture,
    Rejection,
    missing,
)
from celebcollect.checks.further_pictures import Announced
from celebcollect.checks.signatures import (
    Finding,
    PayloadReason,
    find_archive,
    find_file,
    find_in_pixels,
    find_script,
    is_zip_file,
    looks_like_nothing,
)
from celebcollect.checks.unforeseen import Unforeseen, about_one_picture
from celebcollect.domain.reasons import Reason
from celebcollect.pictures.cut_jpeg import has_surplus
from celebcollect.pictures.essentials import essentials
from celebcollect.pictures.formats import NotAPicture
from celebcollect.pictures.metadata_budget import MetadataBomb
from celebcollect.pictures.reasons import PictureReason

VERSION = 2
_STRICTER = 1
"""The version that threw out the trailers of more phones than this one does."""

MAX_ANY_BYTES = 64
"""Unknown bytes of any kind that may follow a picture: servers and editors leave newlines, counters
and checksums behind; no program fits in."""

MAX_STRAY_BYTES = 512
"""Unknown bytes that may follow a picture where they look like nothing: no code, no file, no
picture. Uploads leave boundaries behind, and broken programs ends of what was there before."""

_FURTHER_PICTURE = re.compile(rb"[\0\xff]{0,65536}?\xff\xd8\xff[\xc0-\xfe]")


def build(settings: CheckSettings) -> Check:
    """Return the check for `[store] max_pixels`."""
    return Payload(settings.store.max_pixels)


_MEASURED: dict[str, Reason] = {
    reason.value: reason for reason in (*PayloadReason, PictureReason.NOT_AN_IMAGE)
}
"""What `search` may find, by the word that is kept among the facts."""


class Payload:
    """Reject `not_an_image` and what `PayloadReason` names."""

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
            facts = picture.facts(self.name)
            if facts.get("version") == _STRICTER and "reason" not in facts:
                continue  # what version 1 let through is not opened again
            found = self._found(picture)
            measured: Facts = {"version": VERSION}
            yield (
                picture.image.id,
                measured | ({"reason": found[0].value, "detail": found[1]} if found else {}),
            )

    def _found(self, picture: Picture) -> Finding | None:
        data = picture.stored.read()
        try:
            with about_one_picture(self.name, picture.image.id):
                return search(data, picture.image.format or "")
        except Unforeseen as error:
            return PayloadReason.UNSEARCHABLE, str(error)

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
        return PayloadReason.EMBEDDED_ARCHIVE, "the file opens as a ZIP"
    if data[:3] == b"GIF" and data[6:8] in (b"/*", b"=1", b"='", b'="', b"=0"):
        # GIF89a/*...: the width is the start of a comment or an assignment
        return PayloadReason.EMBEDDED_SCRIPT, "the header reads as JavaScript"
    if data[:2] == b"\xff\xd8" and data[4:6] == b"/*":
        return PayloadReason.EMBEDDED_SCRIPT, "the header reads as JavaScript"
    try:
        parts = take_apart(data)
        if found := _search_parts(parts):
            return found
        if parts.end is not None:
            return _search_behind(data, parts, kind)
        if kind == "jpeg" and has_surplus(essentials("JPEG", data).data):
            return PayloadReason.TRAILING_DATA, "bytes behind the pixels, and no end mark"
        return None
    except NotAPicture as error:
        return PayloadReason.BOMB, error.detail
    except MetadataBomb as error:
        return PayloadReason.BOMB, f"metadata: {error}"


def _search_parts(parts: containers.Parts) -> Finding | None:
    texts, opaque = b"\n".join(parts.texts), b"\n".join(parts.opaque)
    return (
        find_script(texts, short=True)
        or find_script(opaque)
        or find_archive(texts)
        or find_archive(opaque)
        or find_in_pixels(b"".join(parts.coded))
    )


def _search_behind(data: bytes, parts: containers.Parts, kind: str) -> Finding | None:
    end = parts.end or 0
    metadata = (*parts.opaque, *parts.texts)
    if kind == "jpeg":
        end, found = _further_pictures(data, end, metadata)
        if found or end == len(data):
            return found
    behind = data[end:]
    length = len(behind.strip(trailers.PADDING))
    if not length:
        return None
    found = (
        find_script(behind, short=length <= MAX_STRAY_BYTES)
        or find_archive(behind)
        or find_file(behind)
    )
    if found:
        return found
    left = trailers.left_over(behind, end, kind, metadata)
    length = len(left.strip(trailers.PADDING))
    if length <= MAX_ANY_BYTES or (length <= MAX_STRAY_BYTES and looks_like_nothing(left)):
        return None
    return PayloadReason.TRAILING_DATA, f"{length} bytes after the picture"


def _further_pictures(
    data: bytes, end: int, metadata: Sequence[bytes]
) -> tuple[int, Finding | None]:
    """Return where the pictures end that the first one announces, and what hides in them."""
    announced = Announced(data, end, metadata)
    while further := _FURTHER_PICTURE.match(data, end):
        start = further.end() - 4
        appended = containers.jpeg(data, start)
        if appended.end is None:
            # Cut off inside its pixels: nothing is known of what follows but that it was announced.
            if not announced.starts(start):
                break
            return len(data), _search_parts(appended)
        after = data[appended.end : appended.end + 65_536]
        padding = len(after) - len(after.lstrip(b"\0"))
        if not announced.take(start, appended.end - start, padding):
            break
        if found := _search_parts(appended):
            return end, found
        end = appended.end
    return end, None


SPEC = CheckSpec(name="payload", order=30, build=build, reasons=(PayloadReason, PictureReason))
