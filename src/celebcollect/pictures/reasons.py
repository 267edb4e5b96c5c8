"""Why bytes are not taken for a picture."""

from __future__ import annotations

from celebcollect.domain.reasons import Reason


class PictureReason(Reason):
    """What is wrong with the bytes themselves."""

    EMPTY = "empty", "store", "No bytes."
    NOT_AN_IMAGE = (
        "not_an_image",
        "store",
        "The bytes are something else: a web page, a text, an SVG.",
    )
    UNSUPPORTED_FORMAT = (
        "unsupported_format",
        "store",
        "A picture in a format that is not read: BMP, TIFF, HEIC, JPEG XL.",
    )
    TOO_MANY_PIXELS = (
        "too_many_pixels",
        "store",
        "More pixels than `[store] max_pixels`: a decompression bomb, or close to one.",
        "A larger `[store] max_pixels` lets new candidates of this size through, and needs memory.",
    )
    TRUNCATED = "truncated", "store", "The end of the picture is missing."
    CORRUPT = "corrupt", "store", "The picture cannot be decoded."
