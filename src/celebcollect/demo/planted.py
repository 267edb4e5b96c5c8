"""Which pictures of the cast the small web holds, and what must become of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from celebcollect.demo.cast import CAST, EXTRAS, Player, Special

GOOD_SHOTS = 8
"""Unique good pictures of each person: these, and nothing else, must be accepted."""
CO_STARS = 5
"""Pictures of one other person in the albums in which the portrait must decide: too many for the
largest group to be taken for the person without it."""


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

    def must_be_in_doubt(self, *, faces: bool) -> bool:
        """Return whether it must be kept and flagged, because it shows another one's face too."""
        alike = self.player.special is Special.LOOKS_ALIKE
        return faces and alike and self.must_be_accepted(faces=faces)


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
        source = "google" if shot < 4 else _tmdb(player) if shot < 6 else "commons"
        has_larger = player.special is Special.LARGER and shot == GOOD_SHOTS - 1
        yield PlantedPicture(
            player,
            source,
            f"/{source}/{player.number}/shot-{shot}.jpg",
            "portrait",
            shot,
            (player.looks,),
            ("near_duplicate",) if has_larger else (),
        )
    yield from _copies(player)
    yield from _special(player)
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
    source = "google" if player.special else "tmdb"
    yield PlantedPicture(
        player, source, f"/{source}/{player.number}/again-4.jpg", "recompressed", 4, me, near
    )


def _tmdb(player: Player) -> str:
    """Return who has what TMDB has of others."""
    return "commons" if player.special else "tmdb"


def _special(player: Player) -> Iterator[PlantedPicture]:
    """Yield what makes an album hard: a larger copy of the portrait, and many of a co-star."""
    number = player.number
    if player.special is Special.LARGER:
        path = f"/commons/{number}/larger.jpg"
        yield PlantedPicture(player, "commons", path, "larger", GOOD_SHOTS - 1, (player.looks,))
    if player.special in (Special.RENAMED, Special.LARGER):
        co_star = EXTRAS[(number + 2) % len(EXTRAS)]
        for shot in range(100 + 10 * number, 100 + 10 * number + CO_STARS):
            path = f"/google/{number}/co-star-{shot}.jpg"
            yield PlantedPicture(
                player,
                "google",
                path,
                "portrait",
                shot,
                (co_star,),
                ("other_person",),
                needs_faces=True,
            )


def _wrong(player: Player) -> Iterator[PlantedPicture]:
    """Yield pictures that show somebody else, several people, nobody, or the person too small."""
    number, me = player.number, player.looks
    one, other, third = (EXTRAS[(number + at) % len(EXTRAS)] for at in range(3))
    colleague = CAST[(number + 1) % len(CAST)].looks
    for source, name, kind, shot, shown, reason in (
        ("google", "stranger", "portrait", 20 + number, (one,), "other_person"),
        ("google", "colleague", "portrait", 40, (colleague,), "other_person"),
        (_tmdb(player), "stranger", "portrait", 30 + number, (other,), "other_person"),
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
