"""The demonstration's small web on 127.0.0.1: Wikidata, Google Images, TMDB, Commons and the sites with the pictures.

It answers as the real ones do, as far as the sources look; every word and picture in it is made
here.
"""

from __future__ import annotations

import io
import json
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from PIL import Image

from celebcollect.demo import knowledge, pictures
from celebcollect.demo.cast import BROKEN, CAST, Picture, Player, album
from celebcollect.demo.pages import CONSENT_PAGE, SHELL_PAGE, result_page

TOKEN = "demonstration"  # noqa: S105 - of a TMDB that this program plays itself

Answer = tuple[int, str, bytes]
"""HTTP status, media type and body."""


class SmallWeb:
    """Serves while it is open; `requests` counts what was asked for, by path."""

    def __init__(
        self,
        *,
        albums: Callable[[Player], Iterable[Picture]] = album,
        data: Callable[[Picture], Answer] = pictures.data,
    ) -> None:
        """
        Take a free port.

        Args:
            albums: The pictures of each player; tests have others.
            data: Returns HTTP status, media type and body of a picture.
        """
        self.requests: Counter[str] = Counter()
        self.albums = {player: tuple(albums(player)) for player in CAST}
        self.pictures = {picture.path: picture for some in self.albums.values() for picture in some}
        self._data = data
        self._graph_lock = threading.Lock()
        web = self

        class Handler(_Handler):
            small_web = web

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="small web", daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @cached_property
    def graph(self) -> Any:
        """The knowledge graph."""
        return knowledge.graph(self.albums)

    def sparql(self, query: str) -> bytes:
        """Answer a query, one at a time: rdflib's graph is not for several threads."""
        with self._graph_lock:
            return knowledge.answer(self.graph, query)

    def of(self, player: Player, source: str) -> list[Picture]:
        """Return a player's pictures at a source."""
        return [picture for picture in self.albums[player] if picture.source == source]

    def size_px(self, picture: Picture) -> tuple[int, int]:
        """Return width and height as a search engine would tell them; what is no picture, or a liar, gets a plausible size."""
        body = self._data(picture)[2]
        if picture.kind in BROKEN or not body:
            return 480, 480
        with Image.open(io.BytesIO(body)) as image:
            return image.size

    def answer(self, picture: Picture) -> Answer:
        """Return HTTP status, media type and body of a picture."""
        return self._data(picture)

    def find(self, query: str) -> Player | None:
        """Return whom a search query means: the player most of whose words are in it."""
        asked = set(_words(query))
        best = max(
            CAST,
            key=lambda player: len(asked & set(_words(player.name))) / len(_words(player.name)),
        )
        return best if asked & set(_words(best.name)) else None

    def person(self, player: Player) -> dict[str, Any]:
        """Return a person as TMDB tells of them, with images and external ids."""
        profiles = []
        for picture in self.of(player, "tmdb"):
            width, height = self.size_px(picture)
            profiles.append(
                {"aspect_ratio": width / height, "file_path": tmdb_file(picture),
                 "width": width, "height": height, "iso_639_1": None, "vote_average": 5.0, "vote_count": 1}
            )  # fmt: skip
        return {
            "id": player.tmdb_id, "name": player.name, "adult": False, "birthday": player.born, "imdb_id": None,
            "profile_path": profiles[0]["file_path"], "images": {"profiles": profiles},
            "external_ids": {"wikidata_id": player.qid, "imdb_id": None},
        }  # fmt: skip

    def commons(self, asked: dict[str, str]) -> dict[str, Any]:
        """Answer a call of the MediaWiki API about files, by title or by category."""
        by_name = {
            _file_title(picture): picture
            for picture in self.pictures.values()
            if picture.source == "commons"
        }
        if "titles" in asked:
            titles = [title.replace("_", " ") for title in asked["titles"].split("|")]
        else:
            category = (
                (asked.get("gcmtitle") or asked.get("cmtitle") or "")
                .removeprefix("Category:")
                .replace("_", " ")
            )
            players = [player for player in CAST if knowledge.category(player) == category]
            titles = [
                _file_title(picture) for player in players for picture in self.of(player, "commons")
            ]
        pages = [
            self._commons_page(number, title, by_name.get(title))
            for number, title in enumerate(titles, 1)
        ]
        if asked.get("formatversion") == "2":
            return {"batchcomplete": True, "query": {"pages": pages}}
        return {
            "batchcomplete": "",
            "query": {"pages": {str(page["pageid"]): page for page in pages}},
        }

    def _commons_page(self, number: int, title: str, picture: Picture | None) -> dict[str, Any]:
        if picture is None:
            return {"pageid": -number, "ns": 6, "title": title, "missing": True}
        width, height = self.size_px(picture)
        facts = {
            "LicenseShortName": "CC0",
            "LicenseUrl": "https://creativecommons.org/publicdomain/zero/1.0/",
            "Artist": "<i>celebcollect demo</i>",
        }
        info = {
            "url": self.base + picture.path, "descriptionurl": f"{self.base}/wiki/{title}", "mime": "image/jpeg", "width": width, "height": height,
            "size": len(self.answer(picture)[2]), "sha1": "0" * 40, "mediatype": "BITMAP",
            "extmetadata": {key: {"value": value, "source": "commons-desc-page"} for key, value in facts.items()},
        }  # fmt: skip
        return {"pageid": number, "ns": 6, "title": title, "imageinfo": [info]}


def tmdb_file(picture: Picture) -> str:
    """Return the name of a picture on the demonstration's TMDB."""
    return f"/demo{zlib.crc32(picture.path.encode()):08x}.jpg"


def _file_title(picture: Picture) -> str:
    return f"File:{knowledge.file_name(picture)}"


def _words(text: str) -> list[str]:
    return "".join(char if char.isalnum() else " " for char in text.casefold()).split() or [text]


class _Handler(BaseHTTPRequestHandler):
    """Routes a request; the server class above knows the answers."""

    small_web: SmallWeb
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a GET."""
        self._route("")

    def do_POST(self) -> None:
        """Answer a POST: a form, or a SPARQL query."""
        length = int(self.headers.get("Content-Length") or 0)
        self._route(self.rfile.read(min(length, 1_000_000)).decode("utf-8", "replace"))

    def _route(self, body: str) -> None:
        web = self.small_web
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        asked = {key: values[0] for key, values in parse_qs(parts.query + "&" + body).items()}
        web.requests[path] += 1
        if path == "/sparql":
            query = (
                body
                if self.headers.get("Content-Type", "").startswith("application/sparql-query")
                else asked.get("query", "")
            )
            self._send(200, "application/sparql-results+json", web.sparql(query))
        elif path == "/search":
            self._search(asked)
        elif path.startswith("/3/"):
            self._tmdb(path)
        elif path.startswith("/t/p/"):
            self._picture(
                next(
                    (
                        at
                        for at, picture in web.pictures.items()
                        if path.endswith(tmdb_file(picture))
                    ),
                    path,
                )
            )
        elif path == "/w/api.php":
            self._json(200, web.commons(asked))
        else:
            self._picture(path)

    def _search(self, asked: dict[str, str]) -> None:
        """Play Google Images: a consent page first, then a shell that a browser's JavaScript passes, then the result page."""
        cookies = self.headers.get("Cookie", "")
        if "consent=" not in cookies:
            self._send(200, "text/html; charset=utf-8", CONSENT_PAGE.encode())
        elif "javascript=on" not in cookies:
            self._send(200, "text/html; charset=utf-8", SHELL_PAGE.encode())
        else:
            player = self.small_web.find(asked.get("q", ""))
            found = self.small_web.of(player, "google") if player else []
            sized = [(picture, self.small_web.size_px(picture)) for picture in found]
            self._send(
                200,
                "text/html; charset=utf-8",
                result_page(asked.get("q", ""), sized, self.small_web.base).encode(),
            )

    def _tmdb(self, path: str) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._json(
                401,
                {
                    "success": False,
                    "status_code": 7,
                    "status_message": "Invalid API key: You must be granted a valid key.",
                },
            )
            return
        if path == "/3/configuration":
            base = f"{self.small_web.base}/t/p/"
            sizes = ["w45", "w185", "h632", "original"]
            self._json(
                200,
                {
                    "images": {"base_url": base, "secure_base_url": base, "profile_sizes": sizes},
                    "change_keys": [],
                },
            )
            return
        for player in CAST:
            if path == f"/3/person/{player.tmdb_id}":
                self._json(200, self.small_web.person(player))
                return
        self._json(
            404,
            {
                "success": False,
                "status_code": 34,
                "status_message": "The resource you requested could not be found.",
            },
        )

    def _picture(self, path: str) -> None:
        picture = self.small_web.pictures.get(path)
        if picture is None:
            self._send(404, "text/html", b"<h1>Not found</h1>")
        else:
            self._send(*self.small_web.answer(picture))

    def _json(self, status: int, value: object) -> None:
        self._send(status, "application/json", json.dumps(value).encode())

    def _send(self, status: int, media_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent: the demonstration shows the program, not its web."""
