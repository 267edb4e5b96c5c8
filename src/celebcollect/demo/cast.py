"""Who plays in the demonstration."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from celebcollect.demo.looks import ALIKE


class Special(Enum):
    """What makes the album of somebody hard to clean; TMDB knows no picture of any of them."""

    RENAMED = "the portrait's file has another name on Commons now than Wikidata knows"
    LARGER = "Commons has a larger copy of the portrait too"
    LOOKS_ALIKE = "looks like somebody else of the cast, and no portrait says who it is"


@dataclass(frozen=True)
class Player:
    """A person that nobody is; the QIDs lie beyond those that Wikidata has given out."""

    number: int
    looks: int
    """Seed of the looks: see `looks.looks`."""
    name: str
    language: str
    born: str
    sitelinks: int
    special: Special | None = None
    occupation: str = "Q10800557"

    @property
    def qid(self) -> str:
        """Return the item id."""
        return f"Q{900_001_000 + self.number}"

    @property
    def tmdb_id(self) -> int:
        """Return the id on the demonstration's TMDB."""
        return 9_000_000 + self.number


# Names are data: none of these may reach a path, break a query or a table.
CAST = tuple(
    Player(
        number,
        looks,
        name,
        language,
        f"{1958 + 3 * number}-0{1 + number % 9}-1{number % 10}",
        160 - 9 * number,
        {4: Special.RENAMED, 5: Special.LARGER, 9: Special.LOOKS_ALIKE}.get(number),
    )
    for number, (looks, name, language) in enumerate(
        [
            (30, "Ada Brightwater", "en"),
            (106, 'Zoë "Zed" O\'Hara', "en"),
            (44, "../../etc/passwd", "en"),
            (64, "ليلى المثال", "ar"),
            (97, "見本 花子", "ja"),
            (39, "Robert'); DROP TABLE images;--", "mul"),
            (56, "Noel AND OR site:example.org", "en"),
            (95, "Smiley 🎬 McStar", "en"),
            (119, "Ольга Образцова", "ru"),
            (95 + ALIKE, "<b>Bold</b> & Co", "mul"),
        ]
    )
)

LOOKED_LIKE = CAST[7]
"""Whom the one who looks alike looks like."""

EXTRAS = (29, 99, 27)
"""Looks of the wrong people whose pictures the small web shows as somebody of the cast."""
STRANGER = 37
"""Looks of somebody of whom the small web has no picture."""

# Of 120 drawn people these 13 were chosen: dlib finds one face in each of their shots, and they lie
# far enough apart. Measured on 10 shots of each: a shot is 0.19 from the others of its person on
# average at most, and 0.30 from those of anybody else at least; its nearest neighbour is at most
# 0.16 away, and the nearest shot of anybody else at least 0.28. Photographs lie about twice as far
# apart. Whoever looks alike is no farther than another shot of the same person.
IDENTITY_THRESHOLD = 0.25
UNKNOWN_DISTANCE = 0.22
