"""Tell a picture's format by its first bytes, and say why bytes are no picture. Decodes nothing."""

from __future__ import annotations

from celebcollect.domain.reasons import Reason
from celebcollect.pictures.reasons import PictureReason


class NotAPicture(Exception):
    """Why bytes are not taken for a picture: a reason to count, and what it was seen on."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


EXTENSIONS = {
    "jpeg": "jpg",
    "png": "png",
    "webp": "webp",
    "gif": "gif",
    "avif": "avif",
}
"""Formats that are read (`PictureFacts.format`), with the extension of their files. HEIC has no
decoder in Pillow; BMP and TIFF are rare on the web, and TIFF's many codecs are a wide door."""

_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
)
_OTHER_MAGIC = (
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"\0\0\1\0", "ico"),
    (b"8BPS", "psd"),
    (b"\0\0\0\x0cjP  ", "jpeg 2000"),
    (b"\xff\x4f\xff\x51", "jpeg 2000"),
    (b"\xff\x0a", "jpeg xl"),
    (b"\0\0\0\x0cJXL ", "jpeg xl"),
)
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


def sniff(data: bytes) -> str:
    """
    Return Pillow's name of the format whose signature the bytes begin with.

    Raises:
        NotAPicture: `not_an_image` or `unsupported_format`.
    """
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        size = min(int.from_bytes(data[:4], "big"), 256)
        brands = {data[8:12], *(data[at : at + 4] for at in range(16, size, 4))}
        if brands & set(_AVIF_BRANDS):
            return "AVIF"
        if brands & set(_HEIF_BRANDS):
            raise NotAPicture(PictureReason.UNSUPPORTED_FORMAT, "heic")
    for magic, name in _OTHER_MAGIC:
        if data.startswith(magic):
            raise NotAPicture(PictureReason.UNSUPPORTED_FORMAT, name)
    raise NotAPicture(PictureReason.NOT_AN_IMAGE, _looks_like(data))


def _looks_like(data: bytes) -> str:
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in head:
        return "svg"
    if head.startswith((b"<!doctype html", b"<html")) or b"<html" in head or b"<script" in head:
        return "html"
    if head.startswith(b"%pdf"):
        return "pdf"
    return f"begins with {data[:8].hex()}"
