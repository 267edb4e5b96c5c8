"""The demonstration's small web on 127.0.0.1: every service, and the sites with the pictures.

It plays Wikidata, Google Images, TMDB and Commons and answers as the real ones do, as far as the
sources look; every word and picture in it is made here.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from celebcollect.demo import commons, knowledge, pictures, tmdb
from celebcollect.demo.albums import Albums, Answer, find_player
from celebcollect.demo.cast import Player
from celebcollect.demo.pages import CONSENT_PAGE, SHELL_PAGE, result_page
from celebcollect.demo.planted import PlantedPicture, album

HTML = "text/html; charset=utf-8"


class SmallWeb:
    """Serves while it is open; `requests` counts what was asked for, by path."""

    def __init__(
        self,
        *,
        albums: Callable[[Player], Iterable[PlantedPicture]] = album,
        data: Callable[[PlantedPicture], Answer] = pictures.data,
    ) -> None:
        """Take a free port; see `Albums` for the arguments."""
        self.requests: Counter[str] = Counter()
        self.albums = Albums(albums, data)
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
        return knowledge.graph(self.albums.by_player)

    def sparql(self, query: str) -> bytes:
        """Answer a query, one at a time: rdflib's graph is not for several threads."""
        with self._graph_lock:
            return knowledge.answer(self.graph, query)


class _Handler(BaseHTTPRequestHandler):
    """Routes a request to the service that answers it."""

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
            kind = self.headers.get("Content-Type", "")
            as_body = kind.startswith("application/sparql-query")
            query = body if as_body else asked.get("query", "")
            self._send(200, "application/sparql-results+json", web.sparql(query))
        elif path == "/search":
            self._search(asked.get("q", ""))
        elif path.startswith("/3/"):
            authorization = self.headers.get("Authorization")
            self._json(*tmdb.answer(web.albums, web.base, path, authorization))
        elif path.startswith("/t/p/"):
            self._picture(self._tmdb_path(path))
        elif path == "/w/api.php":
            self._json(200, commons.answer(web.albums, web.base, asked))
        else:
            self._picture(path)

    def _search(self, query: str) -> None:
        """
        Play Google Images.

        A consent page comes first, then a shell that a browser's JavaScript passes, then the
        result page.
        """
        cookies, web = self.headers.get("Cookie", ""), self.small_web
        if "consent=" not in cookies:
            self._send(200, HTML, CONSENT_PAGE.encode())
        elif "javascript=on" not in cookies:
            self._send(200, HTML, SHELL_PAGE.encode())
        else:
            player = find_player(query)
            found = web.albums.of(player, "google") if player else []
            sized = [(picture, web.albums.size_px(picture)) for picture in found]
            self._send(200, HTML, result_page(query, sized, web.base).encode())

    def _tmdb_path(self, path: str) -> str:
        """Return the path of the picture that TMDB serves as this file."""
        for at, picture in self.small_web.albums.pictures.items():
            if path.endswith(tmdb.tmdb_file(picture)):
                return at
        return path

    def _picture(self, path: str) -> None:
        albums = self.small_web.albums
        picture = albums.pictures.get(path)
        if picture is None:
            self._send(404, "text/html", b"<h1>Not found</h1>")
        else:
            self._send(*albums.answer(picture))

    def _json(self, status: int, value: object) -> None:
        self._send(status, "application/json", json.dumps(value).encode())

    def _send(self, status: int, media_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay silent: the demonstration shows the program, not its web."""
