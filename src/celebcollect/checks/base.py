"""What a check offers: a class of the shape of `Check`, and a `CheckSpec` that tells of it.

A check decides; one that must open files for that also measures. Measuring and deciding are apart
so that a changed threshold decides anew without opening a file again: what was measured is kept
beside the image in `Image.facts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from pydantic import JsonValue

from celebcollect.config.fields import Section
from celebcollect.domain.reasons import Reason
from celebcollect.domain.records import Facts as Facts
from celebcollect.pictures.file import PictureFile

if TYPE_CHECKING:
    from celebcollect.config.sections import CleanConfig, StoreConfig
    from celebcollect.domain.records import Image

S = TypeVar("S", bound=Section)

RESTORED = 2
"""`Picture.reference` of what somebody has restored: a person's word, beside any source's."""


class FileReason(Reason):
    """What is wrong with a stored file, whichever check finds it out."""

    FILE_MISSING = (
        "file_missing",
        "clean",
        "The file is gone, or something else stands in its place.",
        "Put the file back and run `clean` again, or let `verify --fix` have it fetched again.",
    )
    CORRUPT_FILE = (
        "corrupt_file",
        "clean",
        "The file does not hold the bytes any more that were stored.",
        "Look at the disk; put the file back from a copy and run `clean` again.",
    )


@dataclass(frozen=True, slots=True)
class Picture:
    """A stored image, the file that holds its bytes, and the same picture elsewhere."""

    image: Image
    file: Path
    elsewhere: tuple[Image, ...] = ()
    """Rows of other people with the same bytes or a similar hash, where a check asks for them
    (`Comparing`)."""
    reference: int | None = None
    """How much the picture is trusted to show the person: 0 a portrait that Wikidata names (P18), 1
    the first one of a source that proves identities, 2 one that somebody has restored; None: not in
    itself."""
    referenced_elsewhere: bool = False
    """One of the rows in `elsewhere` is such a trusted portrait of its person."""
    documented: int = 0
    """How well its source documents pictures (`domain.terms.Trust`)."""
    thrown_out: bool = False
    """An earlier check threw it out, and it still shows what the person looks like (`Anchored`)."""

    @property
    def stored(self) -> PictureFile:
        """Return file and size, which is all that those need who look at what it shows."""
        image = self.image
        return PictureFile(image.id, self.file, image.width_px or 1, image.height_px or 1)

    def with_role_of(self, copy: Picture) -> Picture:
        """Return the picture as trusted as a copy of it, where that one is trusted more."""
        ranks = [one.reference for one in (self, copy) if one.reference is not None]
        return replace(self, reference=min(ranks, default=None))

    def facts(self, check: str) -> Mapping[str, JsonValue]:
        """Return what a check measured on the picture; empty when it has not yet."""
        return self.image.facts.get(check, {})


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why one picture is thrown out."""

    id: str
    """`Image.id`."""
    reason: Reason
    """Counted in `status` by its word."""
    detail: str | None = None
    """The measured value, e.g. `80x60 px`."""
    duplicate_of: str | None = None
    """Id of the image that this one was held against."""
    is_copy: bool = False
    """It shows the same photograph as `duplicate_of`, which takes over what is known of this one:
    that it is a trusted portrait, its licence, its author."""
    again: bool = False
    """The picture could not be measured this time; the next cleaning tries once more."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a check found out about a picture that it leaves in."""

    id: str
    """`Image.id`."""
    identity: str
    """See `Image.identity`."""


class Check(Protocol):
    """Looks at pictures and says which to throw out. Thread-safe."""

    name: str

    def fingerprint(self) -> str:
        """
        Return a text that changes whenever the check could decide differently.

        Its version and its settings are in it.
        """
        ...

    def reject(self, pictures: Sequence[Picture]) -> Iterator[Rejection | Acceptance]:
        """
        Yield the pictures to throw out of one person's set.

        Those that earlier checks threw out are not in the set. May also yield what it found out
        about those that stay.

        The verdict depends on nothing but the set: not on its order, on earlier verdicts, or on the
        time.
        """
        ...


@runtime_checkable
class Measuring(Check, Protocol):
    """A check that opens files; what it measures depends on the bytes, never on a threshold."""

    def measure(self, pictures: Sequence[Picture]) -> Iterator[tuple[str, Facts]]:
        """
        Yield id and facts of those pictures whose facts under `name` are missing or out of date.

        Each comes as soon as it is known.

        Raises:
            StorageError: A file cannot be read.
        """
        ...


@runtime_checkable
class Comparing(Check, Protocol):
    """A check that wants to know who else has a picture."""

    elsewhere_bits: int
    """How many bits of the perceptual hashes may differ (0 to 11) for a picture to be in
    `Picture.elsewhere`."""


@runtime_checkable
class Anchored(Check, Protocol):
    """A check that also measures the trusted portraits that earlier checks threw out."""

    wants_portraits: bool
    """They are marked `Picture.thrown_out`; whatever it says of them counts for nothing."""


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """The sections of the configuration that a check is built from."""

    clean: CleanConfig
    store: StoreConfig
    own: Section | None = None
    """The check's own section, of the model that its specification names."""

    def own_as(self, kind: type[S]) -> S:
        """Return the check's own section; the defaults where there is none."""
        return self.own if isinstance(self.own, kind) else kind()


def _nothing(_: CheckSettings) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec:
    """All that the program has to know of a check; the entry point of a check names one."""

    name: str
    """Of the check, of its entry point, and of its section where it has one."""
    order: int
    """Checks are asked in ascending order: cheap ones first, each sees what the former left.
    The built-in ones have the tens from 10 to 70."""
    build: Callable[[CheckSettings], Check | None]
    """Returns the check, or None when the configuration switches it off."""
    reasons: tuple[type[Reason], ...]
    """Every reason for which it rejects; the gallery and `explain` tell what they mean."""
    settings: Callable[[], type[Section]] | None = None
    """Returns the model of its section; each key has a default and a text below it."""
    lacks: Callable[[CheckSettings], str | None] = _nothing
    """Returns what has to be installed before the check can work, or None. The check is left out
    then, and a line of the log says so."""

    def __post_init__(self) -> None:
        """Refuse what has another shape, with a `TypeError`."""
        for field, kind in (("name", str), ("order", int)):
            if not isinstance(getattr(self, field), kind):
                raise TypeError(f"{field} is no {kind.__name__}")
        for field in ("build", "lacks", "settings"):
            value = getattr(self, field)
            if not callable(value) and (value is not None or field != "settings"):
                raise TypeError(f"{field} cannot be called")
        for reason in self.reasons:
            if not (isinstance(reason, type) and issubclass(reason, Reason)):
                raise TypeError("reasons are no subclasses of Reason")


def missing(name: str, version: int | str, pictures: Sequence[Picture]) -> Iterator[Picture]:
    """Yield the pictures that the check `name` has not measured in this `version`."""
    return (picture for picture in pictures if picture.facts(name).get("version") != version)


def number(facts: Mapping[str, JsonValue], name: str) -> float:
    """Return a measured number; 0 where there is none."""
    value = facts.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
