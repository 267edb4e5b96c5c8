"""Whether a portrait stays one when its file on Commons is renamed: the real source is asked.

A small server plays the MediaWiki API: the title that Wikidata names redirects to another one.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.catalogue.state import SearchState
from celebcollect.config.sections import HttpConfig
from celebcollect.domain.records import Celebrity, Image, image_id
from celebcollect.domain.tally import Tally
from celebcollect.sources.commons.settings import CommonsConfig
from celebcollect.sources.commons.source import Commons
from celebcollect.stages.clean.portraits import Portraits
from celebcollect.stages.proofs import proved_portraits
from celebcollect.web import urls


class RenamedFiles:
    """Commons, a catalogue, and a person after the other whose portrait was renamed."""

    def __init__(self) -> None:
        self._people = 0
        self._place = tempfile.TemporaryDirectory()
        self._catalogue = EmbeddedCatalogue(Path(self._place.name) / "catalogue.sqlite3")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
        self._base = f"http://127.0.0.1:{self._server.server_port}"
        settings = CommonsConfig(api_url=f"{self._base}/w/api.php", requests_per_s=1000)
        http = HttpConfig(contact="bench@example.org")
        self._commons = Commons(settings, http, topic="urls", tally=Tally())

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._commons.close()
        self._server.shutdown()
        self._server.server_close()
        self._catalogue.close()
        self._place.cleanup()

    def ranks(self, images: Sequence[Image]) -> list[int | None]:
        """
        Return how much each picture of a person is trusted (`checks.base.Picture.reference`).

        Args:
            images: The first is the file that Wikidata names by its former title; the others are in
                the person's category.
        """
        self._people += 1
        qid = f"Q{self._people}"
        person = Celebrity(
            qid=qid,
            name="X",
            portraits=(f"http://commons.wikimedia.org/wiki/Special:FilePath/Old%20{qid}.jpg",),
            commons_category=f"{qid} {len(images)}",
        )
        found = list(self._commons.candidates(person, 100))
        if len(found) != len(images):
            raise RuntimeError(f"Commons found {len(found)} of {len(images)} pictures")
        proved = proved_portraits(self._commons, person, found, {})
        self._catalogue.save_people([person])
        searched = SearchState(rounds=1, portraits=proved)
        self._catalogue.record_search(qid, self._commons.name, searched)
        portraits = Portraits(self._catalogue, [qid])
        ranks = []
        for image, candidate in zip(images, found, strict=True):
            url = urls.canonical(candidate.url)
            row = {"id": image_id(qid, url), "qid": qid, "url": url, "source": candidate.source}
            ranks.append(portraits.rank(image.model_copy(update=row)))
        return ranks


class _Api(BaseHTTPRequestHandler):
    """Answers for `File:Old <QID>.jpg`, and for the category `<QID> <number of files>`."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a call."""
        self._answer(urlsplit(self.path).query)

    def do_POST(self) -> None:
        """Answer a call whose parameters are in the body."""
        length = int(self.headers.get("Content-Length") or 0)
        self._answer(self.rfile.read(length).decode())

    def _answer(self, query: str) -> None:
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        if "titles" in asked:
            old = asked["titles"]
            new = old.replace("File:Old ", "File:New ")
            moved = [{"from": old, "to": new}]
            body: dict[str, Any] = {"redirects": moved, "pages": [_page(new)]}
            if asked.get("redirects") is None:
                body = {"pages": [{"ns": 6, "title": old, "missing": True}]}
        else:
            qid, _, number = asked["gcmtitle"].removeprefix("Category:").partition(" ")
            rest = [f"File:Other {qid} {at:03d}.jpg" for at in range(1, int(number))]
            body = {"pages": [_page(title) for title in (f"File:New {qid}.jpg", *rest)]}
        data = json.dumps({"batchcomplete": True, "query": body}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay silent."""


def _page(title: str) -> dict[str, Any]:
    name = title.removeprefix("File:").replace(" ", "_")
    info = {
        "url": f"https://upload.wikimedia.org/{name}",
        "descriptionurl": f"https://commons.wikimedia.org/wiki/File:{name}",
        "width": 640,
        "height": 640,
        "mime": "image/jpeg",
        "mediatype": "BITMAP",
    }
    return {"ns": 6, "title": title, "imageinfo": [info]}
