"""What the demonstration's Wikimedia Commons answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from celebcollect.demo.albums import Albums
from celebcollect.demo.cast import CAST, Special
from celebcollect.demo.knowledge import category, file_name, former_name, portrait_in
from celebcollect.demo.planted import PlantedPicture

FACTS = {
    "LicenseShortName": "CC0",
    "LicenseUrl": "https://creativecommons.org/publicdomain/zero/1.0/",
    "Artist": "<i>celebcollect demo</i>",
}


def answer(albums: Albums, base: str, asked: Mapping[str, str]) -> dict[str, Any]:
    """Answer a call of the MediaWiki API about files, by title or by category."""
    moved = _moved(albums) if asked.get("redirects") else {}
    titles = _titles(albums, asked)
    pages = [
        _page(albums, base, number, moved.get(title, title))
        for number, title in enumerate(titles, start=1)
    ]
    query: dict[str, Any] = {}
    if redirects := [{"from": title, "to": moved[title]} for title in titles if title in moved]:
        query["redirects"] = redirects
    if asked.get("formatversion") == "2":
        return {"batchcomplete": True, "query": {**query, "pages": pages}}
    by_id = {str(page["pageid"]): page for page in pages}
    return {"batchcomplete": "", "query": {**query, "pages": by_id}}


def _moved(albums: Albums) -> dict[str, str]:
    """Return the titles of files by those that they had before; a redirect is left behind."""
    return {
        f"File:{former_name(picture)}": _title(picture)
        for player, pictures in albums.by_player.items()
        if player.special is Special.RENAMED
        for picture in (portrait_in(pictures),)
    }


def _titles(albums: Albums, asked: Mapping[str, str]) -> list[str]:
    """Return the titles of the files that are asked for."""
    if "titles" in asked:
        return [title.replace("_", " ") for title in asked["titles"].split("|")]
    wanted = (asked.get("gcmtitle") or asked.get("cmtitle") or "").removeprefix("Category:")
    players = [player for player in CAST if category(player) == wanted.replace("_", " ")]
    return [_title(picture) for player in players for picture in albums.of(player, "commons")]


def _title(picture: PlantedPicture) -> str:
    return f"File:{file_name(picture)}"


def _page(albums: Albums, base: str, number: int, title: str) -> dict[str, Any]:
    named = (
        picture
        for picture in albums.pictures.values()
        if picture.source == "commons" and _title(picture) == title
    )
    picture = next(named, None)
    if picture is None:
        return {"pageid": -number, "ns": 6, "title": title, "missing": True}
    width, height = albums.size_px(picture)
    info = {
        "url": base + picture.path,
        "descriptionurl": f"{base}/wiki/{title}",
        "mime": "image/jpeg",
        "width": width,
        "height": height,
        "size": len(albums.answer(picture)[2]),
        "sha1": "0" * 40,
        "mediatype": "BITMAP",
        "extmetadata": {
            key: {"value": value, "source": "commons-desc-page"} for key, value in FACTS.items()
        },
    }
    return {"pageid": number, "ns": 6, "title": title, "imageinfo": [info]}
