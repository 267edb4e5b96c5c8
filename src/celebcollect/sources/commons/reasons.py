"""Why Wikimedia Commons gives nothing of a person, or not all of it."""

from __future__ import annotations

from celebcollect.domain.reasons import Reason


class CommonsReason(Reason):
    """What Commons does not have, or what is no photograph there."""

    MISSING = (
        "commons_missing",
        "sources",
        "The file is not on Wikimedia Commons (any more).",
    )
    NO_PHOTO_FORMAT = (
        "commons_no_photo_format",
        "sources",
        "A file of Commons that is no photograph by its format (SVG, video, document).",
    )
    DRAWING = (
        "commons_drawing",
        "sources",
        "A file of Commons that is drawn or scanned rather than photographed.",
    )
    FOREIGN_HOST = (
        "commons_foreign_host",
        "sources",
        "Commons names a file on a host that is not Wikimedia's.",
    )
    BAD_TITLE = "commons_bad_title", "sources", "A file name or category that Commons refuses."
    UNREADABLE = (
        "commons_unreadable",
        "sources",
        "An answer of Commons has another shape than it should have.",
    )
    BROKEN_ANSWER = (
        "commons_broken_answer",
        "sources",
        "Commons fails for this person and works for others.",
        "The person is searched again in a later run.",
    )
