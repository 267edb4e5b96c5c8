"""Licence, author and page of a picture, from the best documented copy of the same photograph.

Of two copies the larger one is kept. Where it was found says little about the photograph at times,
and where the other one was found says who took it and on which terms it may be used.
"""

from __future__ import annotations

from collections.abc import Mapping

from celebcollect.domain.records import Image
from celebcollect.sources.registry import installed
from celebcollect.stages.clean.verdicts import Verdicts

FIELDS = ("licence", "licence_url", "author", "restrictions", "page_url", "page_title")
"""What goes together: a licence without its author would be worth nothing."""


def credited(images: Mapping[str, Image], verdicts: Verdicts) -> dict[str, Image]:
    """Return the rows, each with what its best documented copy says, and from which that is."""
    copies: dict[str, list[str]] = {}
    for id_, (_, said) in verdicts.rejections.items():
        kept = said.duplicate_of
        if said.is_copy and kept is not None and kept in images:
            copies.setdefault(kept, []).append(id_)
    return {
        id_: _with_credit(image, [images[copy] for copy in sorted(copies.get(id_, ()))])
        for id_, image in images.items()
    }


def _with_credit(image: Image, copies: list[Image]) -> Image:
    # The first of equals, so that a picture keeps its own words where no copy says more.
    best = max([image, *copies], key=_documented)
    own = _own(image)
    changes: dict[str, object]
    if best is image:
        changes = {**own, "credit_from": None, "own_credit": None}
    else:
        changes = {**_own(best), "credit_from": best.url, "own_credit": own}
    if all(getattr(image, key) == value for key, value in changes.items()):
        return image
    return image.model_copy(update=changes)


def _documented(image: Image) -> tuple[int, int]:
    own = _own(image)
    finder = installed().find(image.source)
    known = sum(bool(own[key]) for key in ("licence", "author"))
    return known, finder.trust.documented if finder else 0


def _own(image: Image) -> dict[str, str | None]:
    """Return what was said where this very copy was found."""
    return image.own_credit or {key: getattr(image, key) for key in FIELDS}
