"""A TMDB of tests: recorded answers, invented people, and a server that plays them."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from api_server import ApiServer, Reply, Request
from celebcollect.config.sections import HttpConfig
from celebcollect.domain.records import Celebrity
from celebcollect.domain.tally import Tally
from celebcollect.sources.tmdb.settings import TmdbConfig
from celebcollect.sources.tmdb.source import Tmdb

TOKEN = "eyJhbGciOiJIUzI1NiJ9.secret-of-the-tests"
PICTURES = "https://image.tmdb.org/t/p/"


def body_of(recording: Path) -> Any:
    """Return the body of a recorded or constructed answer."""
    content = json.loads(recording.read_text(encoding="utf-8"))
    return content["response"]["body"] if "response" in content else content


def person(tmdb_id: int, *, pictures: int = 3, **facts: Any) -> dict[str, Any]:
    """
    Invent a person as `/person/{id}` shows it.

    `wikidata_id` and `imdb_id` become external ids.
    """
    external = {
        "id": tmdb_id,
        "wikidata_id": facts.pop("wikidata_id", None),
        "imdb_id": facts.pop("imdb_id", None),
    }
    profiles = [picture(f"/p{tmdb_id}x{number}.jpg") for number in range(pictures)]
    return {
        "id": tmdb_id,
        "name": f"Person {tmdb_id}",
        "adult": False,
        "birthday": None,
        "imdb_id": external["imdb_id"],
        "profile_path": None,
        "external_ids": external,
        "images": {"profiles": profiles},
        **facts,
    }


def picture(path: str, **facts: Any) -> dict[str, Any]:
    """Invent an entry of `profiles`."""
    return {
        "file_path": path,
        "width": 1000,
        "height": 1500,
        "vote_average": 0.0,
        "vote_count": 0,
        "iso_639_1": None,
        **facts,
    }


def celebrity(qid: str = "Q1", name: str = "Jane Doe", **facts: Any) -> Celebrity:
    """Invent a person as the catalogue knows it."""
    return Celebrity(qid=qid, name=name, **facts)


class TmdbWorld:
    """A server that plays TMDB, and sources that ask it without waiting."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.waits: list[float] = []
        self._open = ExitStack()
        self.server = self._open.enter_context(ApiServer())
        self.server.on(
            "/3/configuration",
            Reply(
                {
                    "images": {
                        "secure_base_url": PICTURES,
                        "profile_sizes": ["w45", "w185", "h632", "original"],
                    }
                }
            ),
        )
        self.server.on("/3/search/person", Reply({"page": 1, "results": [], "total_pages": 1}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def source(
        self,
        *,
        timeout_s: float = 5,
        wait: Callable[[float], object] | None = None,
        **settings: Any,
    ) -> Tmdb:
        """Open a source on this world."""
        values = {
            "base_url": f"{self.server.url}/3",
            "token": TOKEN,
            "requests_per_s": 1000,
            **settings,
        }
        source = Tmdb(
            TmdbConfig(**values),
            HttpConfig(timeout_s=timeout_s),
            topic="urlsFromTmdb",
            tally=self.tally,
            wait=wait or self.waits.append,
        )
        self._open.callback(source.close)
        return source

    def people(self, *people: dict[str, Any]) -> None:
        """Let TMDB know these people."""
        for one in people:
            self.server.on(f"/3/person/{one['id']}", Reply(one))

    def found_by_imdb(self, imdb_id: str, *ids: int) -> None:
        """Let `/find` lead from an IMDb id to these people."""
        self.server.on(
            f"/3/find/{imdb_id}",
            Reply({"person_results": [{"id": one} for one in ids], "movie_results": []}),
        )

    def found_by_name(self, *rows: dict[str, Any]) -> None:
        """Let the search by name give these rows, whatever the name."""
        self.server.on(
            "/3/search/person", Reply({"page": 1, "results": list(rows), "total_pages": 1})
        )

    def popular(self, *ids: int, per_page: int = 20) -> None:
        """Let these people be the popular ones."""
        rows = [{"id": one, "adult": False} for one in ids]
        pages = max(1, -(-len(rows) // per_page))

        def page(request: Request) -> Reply:
            number = int(request.query["page"])
            return Reply(
                {
                    "page": number,
                    "results": rows[(number - 1) * per_page : number * per_page],
                    "total_pages": pages,
                }
            )

        self.server.on("/3/person/popular", page)

    def asked(self) -> list[str]:
        """Return the paths asked for, without the one that says where the pictures are."""
        return [
            path.removeprefix("/3") for path in self.server.paths() if path != "/3/configuration"
        ]
