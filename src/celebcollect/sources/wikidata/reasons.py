"""Why a person of Wikidata, or one value of theirs, is left out."""

from __future__ import annotations

from celebcollect.domain.reasons import Reason


class WikidataReason(Reason):
    """What Wikidata's answers lack, or hold wrongly."""

    BORN_BEFORE = (
        "born_before",
        "wikidata",
        "Born before `[wikidata] born_after`.",
        "An earlier `[wikidata] born_after` lets them in.",
    )
    UNKNOWN_BIRTH = (
        "unknown_birth",
        "wikidata",
        "Wikidata knows no birthday, and `[wikidata] born_after` asks for one.",
        'An empty `[wikidata] born_after = ""` asks for no birthday.',
    )
    NO_NAME = (
        "no_name",
        "wikidata",
        "No name in the configured language, in Wikidata's `mul` or in English.",
        "`[wikidata] language` names another language.",
    )
    DUPLICATE_ITEM = (
        "duplicate_item",
        "wikidata",
        "A second item about somebody whom a more famous item describes (they share a TMDB or IMDb"
        " id).",
        "The two items can be merged on Wikidata.",
    )
    BAD_VALUE = (
        "bad_value",
        "wikidata",
        "One value of Wikidata's answer cannot be what it should be; the rest of the person is"
        " kept.",
    )
    BAD_TMDB_ID = (
        "bad_tmdb_id",
        "wikidata",
        "A TMDB id that cannot be one; the person is kept.",
        "The value can be mended on Wikidata.",
    )
    BAD_IMDB_ID = (
        "bad_imdb_id",
        "wikidata",
        "An IMDb id that cannot be one; the person is kept.",
        "The value can be mended on Wikidata.",
    )
    NOT_A_PHOTOGRAPH = (
        "not_a_photograph",
        "wikidata",
        "Wikidata's picture of the person is a drawing, a video or a document; the person is kept.",
    )
