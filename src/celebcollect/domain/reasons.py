"""Every reason for which a person, a URL or a picture is left out, in one sentence each; docs/errors.md and the gallery show them.

A test reads the code and keeps this table complete: whoever counts a new word (`tally.drop`,
`Rejection`, `FetchFailed`, `NotAPicture`) explains it here.
"""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, Mapping[str, str]] = {
    "wikidata": {
        "born_before": "Born before `[wikidata] born_after`.",
        "unknown_birth": "Wikidata knows no birthday, and `[wikidata] born_after` asks for one.",
        "no_name": "No name in the configured language, in Wikidata's `mul` or in English.",
        "forgotten": (
            "The person is to be forgotten (`celebcollect forget`): no stage collects or gives away"
            " anything about them."
        ),
        "duplicate_item": (
            "A second item about somebody whom a more famous item describes (they share a TMDB or"
            " IMDb id)."
        ),
        "bad_value": (
            "One value of Wikidata's answer cannot be what it should be; the rest of the person is"
            " kept."
        ),
        "bad_tmdb_id": "A TMDB id that cannot be one; the person is kept.",
        "bad_imdb_id": "An IMDb id that cannot be one; the person is kept.",
        "not_a_photograph": (
            "Wikidata's picture of the person is a drawing, a video or a document; the person is"
            " kept."
        ),
    },
    "sources": {
        "person_without_result": "The source was searched and has nothing of this person.",
        "google_no_query": "No query could be made from the person's names.",
        "google_no_results": "Google says that nothing matches.",
        "google_not_original": "Google shows a thumbnail without the address of the original.",
        "google_unknown_page": (
            "Google sent a page that nobody understands; it is kept under `data_dir/pages`."
        ),
        "google_browser_crashed": (
            "The browser, its tab or its driver died twice; the person is searched again in a later"
            " run."
        ),
        "google_browser_timeout": (
            "The browser did not answer twice; the person is searched again in a later run."
        ),
        "google_browser_unreachable": "The browser found no network.",
        "google_cache_unreadable": "A remembered answer cannot be read; the query is put again.",
        "tmdb_not_found": "TMDB knows nobody by the person's ids or name.",
        "tmdb_identity_unproved": (
            "TMDB has somebody of this name, but no id or birthday proves that it is the same"
            " person."
        ),
        "tmdb_no_picture": "TMDB knows the person and has no portrait.",
        "tmdb_adult": (
            "TMDB marks the person as an adult performer; such portraits are no portraits at times."
        ),
        "tmdb_bad_id": "Wikidata's TMDB id is no number.",
        "tmdb_gone": "TMDB has removed what was asked for.",
        "tmdb_unreadable": "An answer of TMDB has another shape than it should have.",
        "tmdb_unreadable_picture": "One portrait in TMDB's answer cannot be understood.",
        "tmdb_broken_answer": "TMDB fails for this person and works for others.",
        "tmdb_duplicate": "Two popular people of TMDB are one person on Wikidata.",
        "no_wikidata_id": "A popular person of TMDB whom Wikidata does not know.",
        "commons_missing": "The file is not on Wikimedia Commons (any more).",
        "commons_no_photo_format": (
            "A file of Commons that is no photograph by its format (SVG, video, document)."
        ),
        "commons_drawing": "A file of Commons that is drawn or scanned rather than photographed.",
        "commons_foreign_host": "Commons names a file on a host that is not Wikimedia's.",
        "commons_bad_title": "A file name or category that Commons refuses.",
        "commons_unreadable": "An answer of Commons has another shape than it should have.",
        "commons_broken_answer": "Commons fails for this person and works for others.",
    },
    "validate": {
        "known": "This URL of this person is in the catalogue already.",
        "repeated": "The same URL of the same person comes twice among the messages at hand.",
        "undecodable": (
            "A message that cannot be read; it is kept on `<topic>.dead` with the reason."
        ),
        "message_too_large": "A message is over the broker's limit.",
        "too_long": "A URL of more than 8192 characters.",
        "malformed_url": "Text that is no URL, or a redirect to such text.",
        "not_http": "A URL of another scheme than http and https.",
        "userinfo": "A URL that carries a user name or password.",
        "bad_port": "A port of another protocol, which browsers refuse too.",
        "private_address": (
            "An address of a private network or of this machine, in the URL or behind its host"
            " name."
        ),
        "private_name": "A host name that never leaves a local network.",
    },
    "store": {
        "not_found": "The server says that there is nothing (404, 410).",
        "forbidden": "The server refuses (401, 403, 451).",
        "rate_limited": "The server asks us to slow down (429); tried again later.",
        "server_error": "The server failed (408, 425, 5xx); tried again later.",
        "bad_status": "Any other HTTP status than success.",
        "too_many_redirects": "The server sends us on and on.",
        "robots_disallowed": "The host's robots.txt disallows the picture.",
        "robots_unreachable": (
            "The host's robots.txt cannot be had, so nobody knows what it disallows; tried again"
            " later."
        ),
        "opted_out": (
            "The server's X-Robots-Tag forbids the use of its pictures in machine learning."
        ),
        "unresolvable": "The host name leads nowhere; tried again later.",
        "connection_failed": "No connection, or it broke; tried again later.",
        "tls_error": "The server's certificate or encryption is not to be trusted.",
        "timeout": "The server took too long; tried again later.",
        "host_resting": (
            "The host failed several times in a row and is left alone for a while; tried again"
            " later."
        ),
        "host_too_slow": "Other pictures of the same host took all the time; tried again later.",
        "bad_response": "The answer breaks the rules of HTTP or is cut off.",
        "unsupported_encoding": "The answer is compressed in a way that was not asked for.",
        "too_large": "More bytes than `[store] max_bytes`.",
        "empty": "No bytes.",
        "not_an_image": "The bytes are something else: a web page, a text, an SVG.",
        "unsupported_format": "A picture in a format that is not read: BMP, TIFF, HEIC, JPEG XL.",
        "too_many_pixels": (
            "More pixels than `[store] max_pixels`: a decompression bomb, or close to one."
        ),
        "truncated": "The end of the picture is missing.",
        "corrupt": "The picture cannot be decoded.",
        "kept_too_long": (
            "TMDB's terms let nobody keep its pictures for more than six months: withdrawn,"
            " removed, and fetched again."
        ),
        "file_vanished": (
            "The file went away while the same bytes came once more; tried again later."
        ),
    },
    "clean": {
        "file_missing": "The file is gone, or something else stands in its place.",
        "corrupt_file": "The file does not hold the bytes any more that were stored.",
        "too_small": "The shorter side is below `[store] min_side_px`.",
        "bomb": (
            "More pixels than the limit allows now, or metadata that blow up when unpacked or taken"
            " apart."
        ),
        "embedded_script": "A script, a web page or a shell command is hidden in the file.",
        "embedded_archive": "An archive, a document or a program is hidden in the file.",
        "trailing_data": "Data of unknown purpose follows the picture.",
        "extreme_aspect": (
            "The long side is more than `[clean] max_aspect_ratio` times the short one."
        ),
        "blank": "Hardly any contrast: one colour, or nearly.",
        "blurred": "Blurred all over.",
        "greyscale": "No colours, and `[clean] greyscale` asks for some.",
        "same_picture_other_person": (
            "The same picture came for another person: at least one of the two is wrong."
        ),
        "no_face": "No face was found.",
        "face_too_small": "No face is as wide as `[clean] min_face_px`.",
        "face_engine_crashed": (
            "The face engine died of the picture, or of a lack of memory; the next two cleanings"
            " try again."
        ),
        "several_faces": "More than one large face, and `[clean] face_rule` wants exactly one.",
        "other_person": (
            "The face is unlike those of the person's trusted portraits, or of the largest group of"
            " pictures."
        ),
        "same_face_other_person": (
            "The pictures show the face of another person, and no trusted portrait proves that it"
            " is this one's."
        ),
        "undecided": "No trusted portrait, and the pictures do not agree on who the person is.",
        "exact_duplicate": "The same bytes under another URL of the same person.",
        "near_duplicate": (
            "A resized or recompressed copy of a picture of the same person; the largest is kept."
        ),
    },
    "train": {
        "no_embedding": (
            "Nobody looked at the face: cleaned without the extra `faces`, or published by another"
            " program."
        ),
        "broken_embedding": (
            "The message's embedding cannot be read, or holds numbers that are none."
        ),
        "other_embedding": (
            "The embedding is of another version than most are: clean again, so that all are of"
            " one."
        ),
        "too_few_pictures": "The person has only one picture that can be used.",
    },
    "export": {
        "needs_agreement": (
            "The terms of the picture's source forbid machine learning without an agreement;"
            " `[train] ml_use_permitted` names yours."
        ),
        "no_known_face": (
            "A crop was asked for, and nobody looked for a face in the picture, or none was found."
        ),
        "incomplete": "The catalogue lacks the file's digest, size or format.",
        "file_changed": "The file does not hold the bytes any more that were accepted.",
    },
}
"""By the stage that counts the word first, then by word."""


def meaning(reason: str) -> str:
    """Return what a reason says, or nothing for a word of another version of this program."""
    return next((words[reason] for words in REASONS.values() if reason in words), "")
