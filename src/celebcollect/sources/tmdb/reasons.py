"""Why TMDB gives nothing of a person, or not all of it."""

from __future__ import annotations

from celebcollect.domain.reasons import Reason


class TmdbReason(Reason):
    """What TMDB does not have, or what cannot be used of it."""

    NOT_FOUND = "tmdb_not_found", "sources", "TMDB knows nobody by the person's ids or name."
    IDENTITY_UNPROVED = (
        "tmdb_identity_unproved",
        "sources",
        "TMDB has somebody of this name, but no id or birthday proves that it is the same person.",
        "A TMDB or IMDb id on Wikidata settles it.",
    )
    NO_PICTURE = "tmdb_no_picture", "sources", "TMDB knows the person and has no portrait."
    ADULT = (
        "tmdb_adult",
        "sources",
        "TMDB marks the person as an adult performer; such portraits are no portraits at times.",
    )
    BAD_ID = (
        "tmdb_bad_id",
        "sources",
        "Wikidata's TMDB id is no number.",
        "The value can be mended on Wikidata.",
    )
    GONE = "tmdb_gone", "sources", "TMDB has removed what was asked for."
    UNREADABLE = (
        "tmdb_unreadable",
        "sources",
        "An answer of TMDB has another shape than it should have.",
    )
    UNREADABLE_PICTURE = (
        "tmdb_unreadable_picture",
        "sources",
        "One portrait in TMDB's answer cannot be understood.",
    )
    BROKEN_ANSWER = (
        "tmdb_broken_answer",
        "sources",
        "TMDB fails for this person and works for others.",
        "The person is searched again in a later run.",
    )
    DUPLICATE = (
        "tmdb_duplicate",
        "sources",
        "Two popular people of TMDB are one person on Wikidata.",
    )
    NO_WIKIDATA_ID = (
        "no_wikidata_id",
        "sources",
        "A popular person of TMDB whom Wikidata does not know.",
    )
