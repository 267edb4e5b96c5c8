"""Why the stages themselves leave somebody or something out, apart from sources and checks."""

from __future__ import annotations

from celebcollect.domain.reasons import Reason


class CollectReason(Reason):
    """Why a person is not collected."""

    FORGOTTEN = (
        "forgotten",
        "collect",
        "The person is to be forgotten (`celebcollect forget`): no stage collects or gives away"
        " anything about them.",
    )
    PERSON_WITHOUT_RESULT = (
        "person_without_result",
        "collect",
        "The source was searched and has nothing of this person.",
        "Nothing: the person is searched again when enough time has passed; other sources may"
        " have pictures.",
    )


class MessageReason(Reason):
    """Why a message is not passed on."""

    KNOWN = "known", "validate", "This URL of this person is in the catalogue already."
    REPEATED = (
        "repeated",
        "validate",
        "The same URL of the same person comes twice among the messages at hand.",
    )
    UNDECODABLE = (
        "undecodable",
        "validate",
        "A message that cannot be read; it is kept on `<topic>.dead` with the reason.",
        "Look at it with `celebcollect topics peek <topic>.dead`, mend its producer, and deliver"
        " what can be read now with `celebcollect topics replay-dead <topic>`.",
    )
    MESSAGE_TOO_LARGE = (
        "message_too_large",
        "validate",
        "A message is over the broker's limit.",
        "Raise `message.max.bytes` of the broker's topic.",
    )


class StoreReason(Reason):
    """Why a download is put off, or undone."""

    HOST_TOO_SLOW = (
        "host_too_slow",
        "store",
        "Other pictures of the same host took all the time; tried again later.",
        "`store` tries again by itself, after 10 minutes, then 1, 6 and 24 hours.",
    )
    KEPT_TOO_LONG = (
        "kept_too_long",
        "store",
        "The terms of the picture's source let nobody keep it for so long: withdrawn, removed, and"
        " fetched again.",
        "Run `store` and `clean`: what the source still serves comes back.",
    )
    FILE_VANISHED = (
        "file_vanished",
        "store",
        "The file went away while the same bytes came once more; tried again later.",
        "`store` tries again by itself.",
    )


class CleanReason(Reason):
    """What is decided over all people, after the checks of each person."""

    SAME_FACE_OTHER_PERSON = (
        "same_face_other_person",
        "clean",
        "The pictures show the face of another person, and no trusted portrait proves that it is"
        " this one's: accepted in doubt, or rejected where the two have a photograph in common.",
        "Look at both people in the gallery; a trusted portrait settles it.",
    )


class TrainReason(Reason):
    """Why a picture is not learnt from."""

    NO_EMBEDDING = (
        "no_embedding",
        "train",
        "Nobody looked at the face: cleaned without the extra `faces`, or published by another"
        " program.",
        "Install the extra `faces` (`celebcollect doctor` has the command) and run `clean` again.",
    )
    BROKEN_EMBEDDING = (
        "broken_embedding",
        "train",
        "The message's embedding cannot be read, or holds numbers that are none.",
        "Mend the program that published it, or run `clean` again.",
    )
    OTHER_EMBEDDING = (
        "other_embedding",
        "train",
        "The embedding is of another version than most are.",
        "Run `clean` again, so that all are of one version.",
    )
    TOO_FEW_PICTURES = (
        "too_few_pictures",
        "train",
        "The person has only one picture that can be used.",
        "Collect more pictures of the person: `celebcollect run-all` goes on where it ended.",
    )


class ExportReason(Reason):
    """Why an accepted picture is not given away."""

    NEEDS_AGREEMENT = (
        "needs_agreement",
        "export",
        "The terms of the picture's source forbid machine learning without an agreement;"
        " `[train] ml_use_permitted` names yours.",
        "Name the source in `[train] ml_use_permitted` if you hold such an agreement.",
    )
    NO_KNOWN_FACE = (
        "no_known_face",
        "export",
        "A crop was asked for, and nobody looked for a face in the picture, or none was found.",
        "Install the extra `faces` (`celebcollect doctor` has the command) and run `clean` again,"
        " or export without crops.",
    )
    INCOMPLETE = (
        "incomplete",
        "export",
        "The catalogue lacks the file's digest, size or format.",
        "Run `clean` again.",
    )
    FILE_CHANGED = (
        "file_changed",
        "export",
        "The file does not hold the bytes any more that were accepted.",
        "Run `clean` again: it says what became of the file.",
    )
