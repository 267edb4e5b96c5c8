"""The demonstration's small web with real photographs of three people, and of others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from celebcollect.demo.albums import Answer
from celebcollect.demo.cast import CAST, Player
from celebcollect.demo.planted import GOOD_SHOTS, PlantedPicture
from celebcollect.demo.web import SmallWeb

RIGHT = ("df_img11", "df_img46", "df_img51")
"""The people whom the first three players are, by their opaque labels."""
WRONG = ("df_img56", "df_img62", "df_img58")
"""Whose photographs are mixed in, one person among each of the former."""
GROUPS = ("01", "04", "05")
"""Photographs of two people whose faces are large enough to count."""
STRANGER = "df_img33"
RIGHT_SHOTS, WRONG_SHOTS = 5, 3


class PhotoWeb:
    """What is planted, by player, and where the files of it are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, Path] = {}
        self.people = CAST[: len(RIGHT)]

    def serve(self) -> SmallWeb:
        """Return a web with these albums; everybody else has a broken portrait."""
        return SmallWeb(albums=self.album, data=self.data)

    def unseen(self, player: Player) -> Path:
        """Return a photograph of a player that the web does not have."""
        return self.photos(RIGHT[player.number])[RIGHT_SHOTS]

    def photos(self, person: str) -> list[Path]:
        """Return a person's photographs."""
        return sorted((self.folder / "people" / person).iterdir())

    def album(self, player: Player) -> Iterator[PlantedPicture]:
        """
        Yield the right photographs, wrong people, a group and a picture without a face.

        The last of the right ones is the portrait that Wikidata names.
        """
        if player not in self.people:
            yield PlantedPicture(
                player, "commons", f"/commons/{player.number}/gone.jpg", "missing", GOOD_SHOTS - 1
            )
            return
        number = player.number
        right, wrong = self.photos(RIGHT[number]), self.photos(WRONG[number])
        for at in range(RIGHT_SHOTS):
            yield self.planted(player, right[at], GOOD_SHOTS - RIGHT_SHOTS + at)
        for at in range(WRONG_SHOTS):
            yield self.planted(player, wrong[at], 20 + at, "other_person")
        yield self.planted(
            player, self.folder / "groups" / f"{GROUPS[number]}.jpg", 30, "several_faces"
        )
        yield self.planted(player, self.folder / "no-face" / f"00{number}.jpg", 31, "no_face")

    def planted(self, player: Player, file: Path, shot: int, *reasons: str) -> PlantedPicture:
        """Return a picture that TMDB has if it is the first one or a wrong one, else Commons."""
        source = "tmdb" if shot in (GOOD_SHOTS - RIGHT_SHOTS, 20) else "commons"
        path = f"/{source}/{player.number}/{shot}.jpg"
        self.files[path] = file
        return PlantedPicture(player, source, path, "photo", shot, reasons=reasons)

    def data(self, picture: PlantedPicture) -> Answer:
        """Return the bytes of a file as they are."""
        file = self.files.get(picture.path)
        return (200, "image/jpeg", file.read_bytes()) if file else (404, "text/html", b"")
