"""What the demonstration's TMDB answers."""

from __future__ import annotations

import zlib
from typing import Any

from celebcollect.demo.albums import Albums
from celebcollect.demo.cast import CAST, Player
from celebcollect.demo.planted import PlantedPicture

TOKEN = "demonstration"  # noqa: S105 - of a TMDB that this program plays itself


def tmdb_file(picture: PlantedPicture) -> str:
    """Return the name of a picture on the demonstration's TMDB."""
    return f"/demo{zlib.crc32(picture.path.encode()):08x}.jpg"


def answer(albums: Albums, base: str, path: str, authorization: str | None) -> tuple[int, Any]:
    """Return HTTP status and JSON value for a call of the API."""
    if authorization != f"Bearer {TOKEN}":
        return 401, _failure(7, "Invalid API key: You must be granted a valid key.")
    if path == "/3/configuration":
        pictures = f"{base}/t/p/"
        sizes = ["w45", "w185", "h632", "original"]
        images = {"base_url": pictures, "secure_base_url": pictures, "profile_sizes": sizes}
        return 200, {"images": images, "change_keys": []}
    for player in CAST:
        if path == f"/3/person/{player.tmdb_id}":
            return 200, _person(albums, player)
    return 404, _failure(34, "The resource you requested could not be found.")


def _failure(code: int, message: str) -> dict[str, Any]:
    return {"success": False, "status_code": code, "status_message": message}


def _person(albums: Albums, player: Player) -> dict[str, Any]:
    """Return a person with images and external ids."""
    profiles = [_profile(albums, picture) for picture in albums.of(player, "tmdb")]
    return {
        "id": player.tmdb_id,
        "name": player.name,
        "adult": False,
        "birthday": player.born,
        "imdb_id": None,
        "profile_path": profiles[0]["file_path"] if profiles else None,
        "images": {"profiles": profiles},
        "external_ids": {"wikidata_id": player.qid, "imdb_id": None},
    }


def _profile(albums: Albums, picture: PlantedPicture) -> dict[str, Any]:
    width, height = albums.size_px(picture)
    return {
        "aspect_ratio": width / height,
        "file_path": tmdb_file(picture),
        "width": width,
        "height": height,
        "iso_639_1": None,
        "vote_average": 5.0,
        "vote_count": 1,
    }
