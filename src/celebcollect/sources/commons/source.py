"""Wikimedia Commons through the MediaWiki API.

A person's portraits (P18), then the files of the person's category (P373).

Licence, author and restrictions come with each picture. Subcategories are not visited.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from pydantic import ValidationError

from celebcollect.config.sections import HttpConfig
from celebcollect.domain.errors import Interrupted
from celebcollect.domain.records import Celebrity, ImageCandidate, now
from celebcollect.domain.tally import Tally
from celebcollect.sources.commons import api
from celebcollect.sources.commons.client import CommonsClient
from celebcollect.sources.commons.reasons import CommonsReason
from celebcollect.sources.commons.settings import THUMBNAIL_WIDTHS_PX, CommonsConfig
from celebcollect.web.rate_limiter import Wait

HOSTS = {"commons.wikimedia.org", "upload.wikimedia.org", "thumb.wikimedia.org"}


class Commons:
    """
    Finds photographs on Wikimedia Commons.

    One request for up to 50 portraits, one per 50 files of the category.

    May be used by several threads. When `wait` says that the work is to stop, the iterator just
    ends.
    """

    name = "commons"

    def __init__(
        self,
        settings: CommonsConfig,
        http: HttpConfig,
        *,
        topic: str,
        tally: Tally,
        wait: Wait | None = None,
    ) -> None:
        self.topic = topic
        self._width_px = settings.width_px
        self._hosts = HOSTS | {urlsplit(settings.api_url).hostname or ""}
        self._tally = tally
        self._asked: dict[str, dict[str, str]] = {}
        """Titles of candidates by URL, of the people who were searched last."""
        self._client = CommonsClient(settings, http, tally=tally, wait=wait)

    def candidates(self, person: Celebrity, limit: int) -> Iterator[ImageCandidate]:
        """
        Yield at most `limit` photographs of the person.

        Portraits in Wikidata's order, then the category's by title.

        Raises:
            SourceBlocked: Wikimedia wants us to stay away.
            PersonNotSearched: The API works, but not for this person now.
            SourceError: The API refuses us, cannot be reached or does not work for anybody.
        """
        seen: set[str] = set()
        self._asked = {**dict(list(self._asked.items())[-8:]), person.qid: {}}
        try:
            for page, asked in self._pages(person) if limit > 0 else ():
                for file in self._photos(page):
                    if file.url in seen:
                        continue  # a portrait is often in the category, too
                    seen.add(file.url)
                    found = self._candidate(person, page.title, file, rank=len(seen) - 1)
                    self._asked[person.qid][found.url] = asked
                    yield found
                if len(seen) >= limit:
                    return
        except Interrupted:
            return

    def asked_title(self, qid: str, url: str) -> str | None:
        """Return the title under which a candidate of a person's last search was asked for."""
        return self._asked.get(qid, {}).get(url)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _pages(self, person: Celebrity) -> Iterator[tuple[api.FilePage, str]]:
        """Yield pages with the titles that stand for them in Wikidata or the category."""
        for titles in api.batches(self._titles(person)):
            for pages, renamed in self._client.query(titles="|".join(titles), redirects="1"):
                for title in titles:
                    page = pages.get(api.followed(title, renamed), api.FilePage(title=title))
                    yield page, title  # a renamed file is still the one that Wikidata names
        category = " ".join((person.commons_category or "").replace("_", " ").split()).removeprefix(
            "Category:"
        )
        if category:
            members = {
                "generator": "categorymembers",
                "gcmtitle": f"Category:{category}",
                "gcmtype": "file",
                "gcmlimit": str(api.TITLES_PER_CALL),
            }
            for pages, _ in self._client.query(**members):
                for page in sorted(pages.values(), key=lambda page: page.title):
                    yield page, page.title

    def _titles(self, person: Celebrity) -> Iterator[str]:
        for portrait in dict.fromkeys(person.portraits):
            try:
                title = api.title_of(portrait)
            except ValueError:
                self._tally.drop(CommonsReason.BAD_TITLE)
                continue
            if title.rpartition(".")[2].lower() in api.PHOTO_TYPES:
                yield title
            else:
                self._tally.drop(CommonsReason.NO_PHOTO_FORMAT)

    def _photos(self, page: api.FilePage) -> Iterator[api.File]:
        """Yield the page's file, or count why it is left out."""
        if not page.imageinfo:
            self._tally.drop(CommonsReason.MISSING)
            return
        try:
            file = api.File.model_validate(page.imageinfo[0])
        except ValidationError:
            self._tally.drop(CommonsReason.UNREADABLE)
            return
        if not file.is_photo_format:
            self._tally.drop(CommonsReason.NO_PHOTO_FORMAT)
        elif file.is_drawn:
            self._tally.drop(CommonsReason.DRAWING)
        elif not self._is_ours(file.url):
            self._tally.drop(CommonsReason.FOREIGN_HOST)
        else:
            yield file

    def _candidate(
        self, person: Celebrity, title: str, file: api.File, *, rank: int
    ) -> ImageCandidate:
        url, width_px, height_px = file.url, file.width, file.height
        # Only the API's own URL of a width that Wikimedia offers: it refuses others (phabricator
        # T427465).
        if (
            self._width_px
            and file.width > self._width_px
            and file.thumburl
            and file.thumbwidth in THUMBNAIL_WIDTHS_PX
            and self._is_ours(file.thumburl)
        ):
            url, width_px, height_px = (
                file.thumburl,
                file.thumbwidth,
                file.thumbheight or round(file.height * file.thumbwidth / file.width),
            )
        return ImageCandidate(
            schema_version=1,
            qid=person.qid,
            name=person.name,
            url=api.web_address(url) or url,
            source=self.name,
            profession=next(iter(person.professions), None),
            rank=rank,
            page_url=(
                api.web_address(file.descriptionurl) if self._is_ours(file.descriptionurl) else None
            ),
            page_title=title,
            licence=file.text("LicenseShortName", "UsageTerms"),
            licence_url=api.web_address(file.text("LicenseUrl")),
            author=file.text("Artist", "Attribution"),
            restrictions=file.text("Restrictions"),
            width_px=width_px,
            height_px=height_px,
            found_at=now(),
        )

    def _is_ours(self, url: str | None) -> bool:
        address = api.web_address(url)
        return address is not None and urlsplit(address).hostname in self._hosts
