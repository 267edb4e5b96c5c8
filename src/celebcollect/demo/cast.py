"""Who plays in the demonstration, which pictures of them the small web holds, and what must become of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

GOOD_SHOTS = 8
"""Unique good pictures of each person: these, and nothing else, must be accepted."""


@dataclass(frozen=True)
class Player:
    """A person that nobody is; the QIDs lie beyond those that Wikidata has given out."""

    number: int
    """Seed of the looks."""
    name: str
    language: str
    born: str
    sitelinks: int
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
    Player(number, name, language, f"{1958 + 3 * number}-0{1 + number % 9}-1{number % 10}", 160 - 9 * number)
    for number, (name, language) in enumerate(
        [
            ("Ada Brightwater", "en"),
            ('Zoë "Zed" O\'Hara', "en"),
            ("../../etc/passwd", "en"),
            ("ليلى المثال", "ar"),
            ("見本 花子", "ja"),
            ("Robert'); DROP TABLE images;--", "mul"),
            ("Noel AND OR site:example.org", "en"),
            ("Smiley 🎬 McStar", "en"),
            ("Ольга Образцова", "ru"),
            ("<b>Bold</b> & Co", "mul"),
        ]
    )
)


@dataclass(frozen=True)
class Picture:
    """One picture URL of the small web."""

    player: Player
    source: str
    path: str
    """On the server."""
    kind: str
    """How `pictures.data` makes it."""
    shot: int = 0
    accepted: bool = False
    """What must become of it: accepted, or else left out for one of `reasons`."""
    reasons: tuple[str, ...] = ()


BROKEN: dict[str, tuple[str, ...]] = {
    "html": ("not_an_image",),
    "empty": ("empty", "not_an_image"),
    "truncated-jpeg": ("truncated",),
    "truncated-png": ("truncated",),
    "bomb": ("too_many_pixels", "bomb"),
    "svg-script": ("not_an_image",),
    "tiny": ("too_small",),
    "php-tail": ("embedded_script",),
    "zip-tail": ("embedded_archive",),
    "missing": ("not_found",),
    "server-error": ("server_error",),
    "text": ("not_an_image",),
}
"""Kinds of bad pictures and the reasons that fit them."""


def album(player: Player) -> Iterator[Picture]:
    """Yield all pictures of a player: good ones, copies of them, and broken ones, spread over the sources."""
    for shot in range(GOOD_SHOTS):
        source = "google" if shot < 4 else "tmdb" if shot < 6 else "commons"
        yield Picture(player, source, f"/{source}/{player.number}/shot-{shot}.jpg", "good", shot, accepted=True)
    near = ("near_duplicate",)
    yield Picture(player, "google", f"/mirror/{player.number}/same-bytes.jpg", "good", 0, reasons=("exact_duplicate",))
    yield Picture(player, "google", f"/google/{player.number}/smaller.jpg", "smaller", 1, reasons=near)
    yield Picture(player, "google", f"/google/{player.number}/recompressed.jpg", "recompressed", 2, reasons=near)
    yield Picture(player, "tmdb", f"/tmdb/{player.number}/again-4.jpg", "recompressed", 4, reasons=near)
    kinds = list(BROKEN)
    for turn in range(3):
        kind = kinds[(player.number * 3 + turn) % len(kinds)]
        yield Picture(player, "google", f"/google/{player.number}/{kind}.jpg", kind, reasons=BROKEN[kind])


def wanted() -> set[tuple[str, int]]:
    """Return (QID, shot) of every picture that must be left at the end."""
    return {(picture.player.qid, picture.shot) for player in CAST for picture in album(player) if picture.accepted}
