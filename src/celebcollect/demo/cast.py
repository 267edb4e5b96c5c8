"""Who plays in the demonstration, and which pictures of them the small web holds.

With each picture stands what must become of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

GOOD_SHOTS = 8
"""Unique good pictures of each person: these, and nothing else, must be accepted."""


@dataclass(frozen=True)
class Player:
    """A person that nobody is; the QIDs lie beyond those that Wikidata has given out."""

    number: int
    looks: int
    """Seed of the looks: see `drawing.looks`."""
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
    Player(
        number,
        looks,
        name,
        language,
        f"{1958 + 3 * number}-0{1 + number % 9}-1{number % 10}",
        160 - 9 * number,
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
            (107, "<b>Bold</b> & Co", "mul"),
        ]
    )
)

EXTRAS = (29, 99, 27)
"""Looks of the wrong people whose pictures the small web shows as somebody of the cast."""
STRANGER = 37
"""Looks of somebody of whom the small web has no picture."""

# Of 120 drawn people these 14 were chosen: dlib finds one face in each of their shots, and they lie
# far enough apart. Measured on 10 shots of each: a shot is 0.19 from the others of its person on
# average at most, and 0.30 from those of anybody else at least; its nearest neighbour is at most
# 0.16 away, and the nearest shot of anybody else at least 0.28. Photographs lie about twice as far
# apart.
IDENTITY_THRESHOLD = 0.25
UNKNOWN_DISTANCE = 0.22


@dataclass(frozen=True)
class PlantedPicture:
    """One picture URL of the small web."""

    player: Player
    """Whom it is said to show."""
    source: str
    path: str
    """On the server."""
    kind: str
    """How `pictures.data` makes it."""
    shot: int = 0
    shown: tuple[int, ...] = ()
    """Looks of those whom it does show."""
    reasons: tuple[str, ...] = ()
    """For which it must be left out; empty: it must be accepted."""
    needs_faces: bool = False
    """Only who looks at faces can tell that it must be left out."""

    def must_be_accepted(self, *, faces: bool) -> bool:
        """Return what must become of it where faces are looked at, or not."""
        return not self.reasons or (self.needs_faces and not faces)


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
    "blank": ("blank",),
    "blurred": ("blurred",),
    "strip": ("extreme_aspect",),
}
"""Kinds of bad pictures and the reasons that fit them."""


def album(player: Player) -> Iterator[PlantedPicture]:
    """
    Yield all pictures of a player, spread over the sources.

    There are good ones, copies of them, broken ones, and those that show something else.
    """
    for shot in range(GOOD_SHOTS):
        source = "google" if shot < 4 else "tmdb" if shot < 6 else "commons"
        yield PlantedPicture(
            player,
            source,
            f"/{source}/{player.number}/shot-{shot}.jpg",
            "portrait",
            shot,
            (player.looks,),
        )
    yield from _copies(player)
    kinds = list(BROKEN)
    for turn in range(3):
        kind = kinds[(player.number * 3 + turn) % len(kinds)]
        yield PlantedPicture(
            player,
            "google",
            f"/google/{player.number}/{kind}.jpg",
            kind,
            shown=(player.looks,),
            reasons=BROKEN[kind],
        )
    yield from _wrong(player)


def _copies(player: Player) -> Iterator[PlantedPicture]:
    near, me = ("near_duplicate",), (player.looks,)
    yield PlantedPicture(
        player,
        "google",
        f"/mirror/{player.number}/same-bytes.jpg",
        "portrait",
        0,
        me,
        ("exact_duplicate",),
    )
    yield PlantedPicture(
        player, "google", f"/google/{player.number}/smaller.jpg", "smaller", 1, me, near
    )
    yield PlantedPicture(
        player, "google", f"/google/{player.number}/recompressed.jpg", "recompressed", 2, me, near
    )
    yield PlantedPicture(
        player, "tmdb", f"/tmdb/{player.number}/again-4.jpg", "recompressed", 4, me, near
    )


def _wrong(player: Player) -> Iterator[PlantedPicture]:
    """Yield pictures that show somebody else, several people, nobody, or the person too small."""
    number, me = player.number, player.looks
    one, other, third = (EXTRAS[(number + at) % len(EXTRAS)] for at in range(3))
    colleague = CAST[(number + 1) % len(CAST)].looks
    for source, name, kind, shot, shown, reason in (
        ("google", "stranger", "portrait", 20 + number, (one,), "other_person"),
        ("google", "colleague", "portrait", 40, (colleague,), "other_person"),
        ("tmdb", "stranger", "portrait", 30 + number, (other,), "other_person"),
        ("commons", "group", "group", 41, (me, third), "several_faces"),
        ("commons", "landscape", "landscape", number, (), "no_face"),
        ("google", "thumbnail", "thumbnail", 42, (me,), "face_too_small"),
    ):
        path = f"/{source}/{number}/{name}.jpg"
        yield PlantedPicture(
            player, source, path, kind, shot, shown, reasons=(reason,), needs_faces=True
        )
    # The same picture for two people shows at most one of them: here neither.
    pair = number // 2
    yield PlantedPicture(
        player,
        "google",
        f"/google/{number}/shared.jpg",
        "portrait",
        50 + pair,
        (EXTRAS[pair % len(EXTRAS)],),
        ("same_picture_other_person",),
    )
