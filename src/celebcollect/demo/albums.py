"""The pictures that the small web holds, by the person whom they are said to show."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from celebcollect.demo.cast import CAST, Player
from celebcollect.demo.planted import BROKEN, PlantedPicture
from celebcollect.pictures.decode import inspect

_MAX_PIXELS = 100_000_000

Answer = tuple[int, str, bytes]
"""HTTP status, media type and body."""


class Albums:
    """What is planted, for everybody of the cast."""

    def __init__(
        self,
        album: Callable[[Player], Iterable[PlantedPicture]],
        data: Callable[[PlantedPicture], Answer],
    ) -> None:
        """
        Collect the pictures of everybody.

        Args:
            album: The pictures of each player; tests have others.
            data: Returns HTTP status, media type and body of a picture.
        """
        self.by_player = {player: tuple(album(player)) for player in CAST}
        self.pictures = {
            picture.path: picture for some in self.by_player.values() for picture in some
        }
        self._data = data

    def of(self, player: Player, source: str) -> list[PlantedPicture]:
        """Return a player's pictures at a source."""
        return [picture for picture in self.by_player[player] if picture.source == source]

    def answer(self, picture: PlantedPicture) -> Answer:
        """Return HTTP status, media type and body of a picture."""
        return self._data(picture)

    def size_px(self, picture: PlantedPicture) -> tuple[int, int]:
        """
        Return width and height as a search engine would tell them.

        What is no picture, or lies about its size, gets a plausible one.
        """
        body = self._data(picture)[2]
        if picture.kind in BROKEN or not body:
            return 480, 480
        facts = inspect(body, max_pixels=_MAX_PIXELS)
        return facts.width_px, facts.height_px


def find_player(query: str) -> Player | None:
    """Return whom a search query means: the player most of whose words are in it."""
    asked = set(_words(query))

    def share(player: Player) -> float:
        words = _words(player.name)
        return len(asked & set(words)) / len(words)

    best = max(CAST, key=share)
    return best if asked & set(_words(best.name)) else None


def _words(text: str) -> list[str]:
    return "".join(char if char.isalnum() else " " for char in text.casefold()).split() or [text]
