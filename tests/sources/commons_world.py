"""A Wikimedia Commons of tests.

A server that answers like the MediaWiki API about invented files.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self
from urllib.parse import quote

from api_server import ApiServer, Reply, Request
from celebcollect.config.sections import HttpConfig
from celebcollect.domain.records import Celebrity, ImageCandidate
from celebcollect.domain.tally import Tally
from celebcollect.sources.commons.settings import CommonsConfig
from celebcollect.sources.commons.source import Commons

UPLOAD = "https://upload.wikimedia.org/wikipedia/commons"


def portrait(name: str) -> str:
    """Return a P18 value as Wikidata has it."""
    return f"http://commons.wikimedia.org/wiki/Special:FilePath/{quote(name)}"


def original(name: str) -> str:
    """Return the URL of the file itself."""
    return f"{UPLOAD}/a/ab/{quote(name.replace(' ', '_'))}"


def thumbnail(name: str, width_px: int) -> str:
    """Return the URL of the file in another width."""
    file = quote(name.replace(" ", "_"))
    return f"https://thumb.wikimedia.org/commons/a/ab/{file}/{width_px}px-{file}"


class CommonsWorld:
    """
    Files, categories and redirects.

    `source` opens a source that asks about them without waiting.
    """

    def __init__(self) -> None:
        self.tally = Tally()
        self.waits: list[float] = []
        self.files: dict[str, dict[str, Any]] = {}
        self.categories: dict[str, list[str]] = {}
        self.redirects: dict[str, str] = {}
        self.infos_per_answer = 50
        """As with the real one, the rest comes by `iicontinue`."""
        self._open = ExitStack()
        self.server = self._open.enter_context(ApiServer())
        self.server.on("/w/api.php", self.answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def source(
        self,
        *,
        contact: str = "me@example.org",
        wait: Callable[[float], object] | None = None,
        **settings: Any,
    ) -> Commons:
        """Open a source on this world."""
        config = CommonsConfig(
            **{"api_url": f"{self.server.url}/w/api.php", "requests_per_s": 1000, **settings}
        )
        http = HttpConfig(timeout_s=5, contact=contact)
        source = Commons(
            config, http, topic="urlsFromCommons", tally=self.tally, wait=wait or self.waits.append
        )
        self._open.callback(source.close)
        return source

    def find(
        self, *portraits: str, category: str | None = None, limit: int = 500, **settings: Any
    ) -> list[ImageCandidate]:
        """Search a person with these portraits (names of files) and category."""
        person = Celebrity(
            qid="Q1",
            name="Jane Doe",
            portraits=tuple(map(portrait, portraits)),
            commons_category=category,
            professions=("actor",),
        )
        return list(self.source(**settings).candidates(person, limit))

    def add(
        self,
        name: str,
        *,
        category: str | None = None,
        meta: dict[str, Any] | None = None,
        **facts: Any,
    ) -> None:
        """Upload a file; `meta` goes into `extmetadata`, `facts` replace those of `imageinfo`."""
        entries = {
            "LicenseShortName": "CC BY-SA 4.0",
            "LicenseUrl": "https://creativecommons.org/licenses/by-sa/4.0",
            "Artist": "Ann",
            **(meta or {}),
        }
        info = {
            "size": 5_000_000,
            "width": 4000,
            "height": 3000,
            "url": original(name),
            "descriptionurl": (
                f"https://commons.wikimedia.org/wiki/File:{quote(name.replace(' ', '_'))}"
            ),
            "mime": "image/jpeg",
            "mediatype": "BITMAP",
            "sha1": "0" * 40,
            "extmetadata": {
                key: {"value": value, "source": "commons-desc-page"}
                for key, value in entries.items()
            },
            **facts,
        }
        self.files[f"File:{name}"] = info
        if category:
            self.categories.setdefault(f"Category:{category}", []).append(f"File:{name}")

    def answer(self, request: Request) -> Reply:
        """Answer as the API does."""
        query = request.query
        assert query["action"] == "query", query
        if query.get("meta") == "siteinfo":
            return Reply({"batchcomplete": True, "query": {"general": {}}})
        more: dict[str, str] = {}
        renamed: dict[str, list[dict[str, str]]] = {"normalized": [], "redirects": []}
        if "generator" in query:
            members = self.categories.get(query["gcmtitle"], [])
            start, size = int(query.get("gcmcontinue", "0")), int(query["gcmlimit"])
            titles = members[start : start + size]
            rest = {"gcmcontinue": str(start + size)} if start + size < len(members) else {}
            same = {"gcmcontinue": str(start)} if start else {}
        else:
            titles, rest, same = (
                [
                    self._resolved(title, renamed, "redirects" in query)
                    for title in query["titles"].split("|")
                ],
                {},
                {},
            )
        pages, told = [], int(query.get("iicontinue", "0"))
        for place, title in enumerate(dict.fromkeys(titles)):
            page: dict[str, Any] = {"ns": 6, "title": title}
            if title not in self.files:
                page["missing"] = True
            elif told <= place < told + self.infos_per_answer:
                page["imageinfo"] = [self._info(title, query)]
            pages.append(page)
        if told + self.infos_per_answer < len(titles):
            more = {**same, "iicontinue": str(told + self.infos_per_answer), "continue": "||"}
        elif rest:
            more = {**rest, "continue": "gcmcontinue||"}
        elif len(titles) == 1 and titles[0] in self.files:
            # the file has an older version
            more = {"iistart": "2010-04-16T22:53:21Z", "continue": "||"}
        body: dict[str, Any] = (
            {"query": {**{key: value for key, value in renamed.items() if value}, "pages": pages}}
            if pages
            else {}
        )
        body |= {"continue": more} if more else {}
        body |= (
            {"batchcomplete": True} if "iicontinue" not in more and "iistart" not in more else {}
        )
        return Reply(body)

    def _resolved(self, title: str, renamed: dict[str, list[dict[str, str]]], follow: bool) -> str:
        normal = f"File:{title[5:6].upper()}{title[6:]}"
        if normal != title:
            renamed["normalized"].append({"from": title, "to": normal})
        target = self.redirects.get(normal, normal) if follow else normal
        if target != normal:
            renamed["redirects"].append({"from": normal, "to": target})
        return target

    def _info(self, title: str, query: Any) -> dict[str, Any]:
        info = dict(self.files[title])
        width = int(query.get("iiurlwidth", "0"))
        if width and "thumburl" not in info and isinstance(info["width"], int):
            scaled = width < info["width"]
            info["thumburl"] = thumbnail(title[5:], width) if scaled else info["url"]
            info["thumbwidth"], info["thumbheight"] = (
                (width, round(info["height"] * width / info["width"]))
                if scaled
                else (info["width"], info["height"])
            )
        return info
