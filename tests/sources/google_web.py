"""A small search engine for tests of the Google source.

It plays every kind of page on 127.0.0.1 and remembers who asked what.
"""

from __future__ import annotations

import html
import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Page:
    """What the server answers."""

    body: str | bytes = ""
    status: int = 200
    location: str = ""
    unfinished: bool = False
    """Send the body and then nothing more until the server is closed."""


@dataclass(frozen=True)
class Asked:
    """One request."""

    at: float
    path: str
    parameters: dict[str, str]
    headers: dict[str, str]


@dataclass
class GoogleWeb:
    """
    Answers `/search` by the query (`pages`, else `default`) and other paths by `paths`.

    A value may be a function of the parameters.
    """

    default: Any = field(default_factory=Page)
    pages: dict[str, Any] = field(default_factory=dict)
    paths: dict[str, Any] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    @property
    def search_url(self) -> str:
        return f"{self.base}/search"

    @property
    def searches(self) -> list[Asked]:
        """The queries that came, in order."""
        return [asked for asked in self.asked if asked.path == "/search"]

    def answer(self, path: str, parameters: dict[str, str]) -> Page:
        chosen = (
            self.pages.get(parameters.get("q", ""), self.default)
            if path == "/search"
            else self.paths.get(path, Page(status=404))
        )
        page: Page = chosen(parameters) if callable(chosen) else chosen
        return page

    def forget(self) -> None:
        """Play nothing and know of no request any more."""
        self.default = Page()
        self.pages, self.paths, self.asked = {}, {}, []

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(web: GoogleWeb) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            parameters = {
                key: values[-1]
                for key, values in parse_qs(parts.query, keep_blank_values=True).items()
            }
            web.asked.append(Asked(time.monotonic(), parts.path, parameters, dict(self.headers)))
            page = web.answer(parts.path, parameters)
            body = page.body.encode() if isinstance(page.body, str) else page.body
            self.send_response(page.status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            if page.location:
                self.send_header("Location", page.location)
            self.send_header("Content-Length", str(len(body) + page.unfinished))
            self.end_headers()
            self.wfile.write(body)
            if page.unfinished:
                self.wfile.flush()
                web.closing.wait()

        do_POST = do_GET  # noqa: N815 - the name is http.server's

        def log_message(self, *_: object) -> None: ...

    return Handler


def picture(number: int, host: str = "pictures.example", **facts: Any) -> list[Any]:
    """
    Return a record in the form of 2026.

    Id, thumbnail, original with height before width, facts by number.
    """
    thumb = f"https://encrypted-tbn0.gstatic.com/images?q=tbn:{number:04d}"
    page = [
        None,
        f"ref{number:05d}",
        f"https://{host}/page/{number}",
        facts.get("title", f"Title {number}"),
        *[None] * 8,
        f"Site {number}",
    ]
    url = facts.get("url", f"https://{host}/{number}.jpg")
    about = {"2000": [None, host, "40KB"], "2003": page, "2008": [None, f"Short {number}"]}
    return [
        0,
        f"docid-{number:06d}",
        [thumb, 100, 150],
        [url, 600 + number, 800 + number],
        None,
        0,
        "rgb(1,2,3)",
        None,
        0,
        about,
    ]


def records_script(pictures: Iterable[list[Any]]) -> str:
    """Return records as a result page carries them, with its escapes."""
    text = json.dumps({f"p{index}": [1, record] for index, record in enumerate(pictures)})
    return (
        "(function(){var m="
        + text.replace("=", "\\u003d").replace("<", "\\u003c").replace("&", "\\u0026")
        + ";window.W_jd=m;})()"
    )


def result_page(pictures: Iterable[list[Any]], more: str = "") -> Page:
    """Return a result page; like real ones it carries the words of the bad pages in its scripts."""
    shell = (
        '<noscript><meta content="0;url=/httpservice/retry/enablejs?sei=x"'
        ' http-equiv="refresh"></noscript>'
    )
    traps = "<script>var traps=['X-Sorry-Redirect','/sorry/index','unusual traffic'];</script>"
    script = f"<script>{records_script(pictures)}</script>"
    return Page(
        f"<!doctype html><html><head><title>x</title></head><body>{shell}{traps}<div"
        f" id=rso></div>{script}{more}</body></html>"
    )


def scrolling(chunks: Iterable[str]) -> str:
    """
    Return a script that loads `/chunk?n=0`, 1, ... when the page is scrolled to its end.

    It does so by fetch and XMLHttpRequest in turn.
    """
    count = len(list(chunks))
    return f"""<div style="height:4000px"></div><script>
      let next = 0, busy = false;
      const done = () => {{
        busy = false;
        document.body.appendChild(document.createElement('div')).style.height = '3000px';
      }};
      addEventListener('scroll', () => {{
        const end = document.documentElement.scrollHeight - 50;
        if (busy || next >= {count} || scrollY + innerHeight < end) return;
        busy = true;
        const url = '/chunk?n=' + next++;
        if (next % 2) fetch(url).then((a) => a.text()).then(done);
        else {{ const x = new XMLHttpRequest(); x.open('GET', url); x.onload = done; x.send(); }}
      }});
    </script>"""


def tiles(pictures: Iterable[tuple[str, str]], on_click: str = "") -> str:
    """
    Return tiles (page, title) without records.

    `on_click` is JavaScript with `n` as the number of the tile.
    """
    shown = "".join(
        f'<div data-docid="tile{n}" data-lpage="{html.escape(page)}"><h3><a href="#"><div'
        f' class="H8Rx8c"><img alt="{html.escape(title)}" width=90 height=90></div></a></h3></div>'
        for n, (page, title) in enumerate(pictures)
    )
    return (
        f"<!doctype html><html><body>{shown}<div"
        " id=panel></div><script>document.querySelectorAll('[data-docid]').forEach((tile, n) =>"
        " tile.addEventListener('click', (event) => { event.preventDefault();"
        f" {on_click} }}));</script></body></html>"
    )


Answer = Callable[[dict[str, str]], Page]
