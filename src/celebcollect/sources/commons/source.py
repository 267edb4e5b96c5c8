"""Wikimedia Commons through the MediaWiki API.

A person's portraits (P18), then the files of the person's category (P373).

Licence, author and restrictions come with each picture. Subcategories are not visited.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from pydantic import ValidationError

from celebcollect.config.sections import HttpConfig
from celebcollect.domain.errors import Interrupted, SourceBlocked, SourceError
from celebcollect.domain.records import Celebrity, ImageCandidate, now
from celebcollect.domain.tally import Tally
from celebcollect.sources.base import PersonNotSearched
from celebcollect.sources.commons import api
from celebcollect.sources.commons.reasons import CommonsReason
from celebcollect.sources.commons.settings import THUMBNAIL_WIDTHS_PX, CommonsConfig
from celebcollect.web.client import ApiClient, ApiError, RequestPolicy, passes
from celebcollect.web.rate_limiter import Wait

MAX_CALLS = 40
"""Per category: 2,000 files of one person are more than enough."""
HOSTS = {"commons.wikimedia.org", "upload.wikimedia.org", "thumb.wikimedia.org"}
FIELDS = "LicenseShortName|UsageTerms|LicenseUrl|Artist|Attribution|Restrictions|Categories"
LEAVE_ALONE = {"maxlag", "ratelimited", "readonly"}
PASSING = LEAVE_ALONE | {"internal_api_error_DBQueryError", "internal_api_error_DBConnectionError"}
NO_SUCH_TITLE = {"invalidtitle", "invalidcategory"}
CONTACT_HINT = (
    "Wikimedia asks programs to say whom to write to: set http.contact to a mail address or URL."
)


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
        self._url = settings.api_url
        self._width_px = settings.width_px
        self._hosts = HOSTS | {urlsplit(settings.api_url).hostname or ""}
        self._tally = tally
        self._asked: dict[str, dict[str, str]] = {}
        """Titles of candidates by URL, of the people who were searched last."""
        self._api = ApiClient(
            http,
            # Wikimedia's Robot policy (2025): at most two
            RequestPolicy(rate_per_s=settings.requests_per_s, connections=2),
            may_pass=lambda status, body: passes(status, body) or api.error_code(body) in PASSING,
            on_request=lambda: tally.count("commons_requests"),
            wait=wait,
        )

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
        self._api.close()

    def _pages(self, person: Celebrity) -> Iterator[tuple[api.FilePage, str]]:
        """Yield pages with the titles that stand for them in Wikidata or the category."""
        for titles in api.batches(self._titles(person)):
            for pages, renamed in self._query(titles="|".join(titles), redirects="1"):
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
            for pages, _ in self._query(**members):
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

    def _query(self, **what: str) -> Iterator[tuple[dict[str, api.FilePage], dict[str, str]]]:
        """Yield pages by title, and the API's own names for the titles asked for, in batches."""
        params = {
            "prop": "imageinfo",
            "iiprop": "url|size|mime|mediatype|sha1|extmetadata",
            "iiextmetadatafilter": FIELDS,
            **what,
        }
        if self._width_px:
            params["iiurlwidth"] = str(self._width_px)
        pages: dict[str, api.FilePage] = {}
        renamed: dict[str, str] = {}
        more: dict[str, str] = {}
        for _ in range(MAX_CALLS):
            reply = self._ask({**params, **more})
            renamed |= {
                rename.asked: rename.to
                for rename in (*reply.query.normalized, *reply.query.redirects)
            }
            # Until a batch is complete, its pages come again and again, each time with the facts of
            # some others.
            pages |= {
                page.title: page
                for page in reply.query.pages
                if page.imageinfo or page.title not in pages
            }
            before, more = more, reply.next_parameters
            at_end = not more or more == before
            if at_end or reply.batchcomplete:
                yield pages, renamed
                pages = {}
            if at_end:
                return
        yield pages, renamed

    def _ask(self, params: dict[str, str]) -> api.Reply:
        try:
            body = self._call(params)
        except ApiError as error:
            if 300 <= error.status < 500:
                hint = CONTACT_HINT if error.status == 403 else "Check commons.api_url."
                raise SourceError(
                    f"Wikimedia Commons refuses the request: {error.message}", hint=hint
                ) from error
            if api.error_code(error.body) in LEAVE_ALONE:
                raise SourceBlocked(
                    f"Wikimedia Commons wants to be left alone: {api.error_code(error.body)}",
                    hint="Try again later.",
                ) from error
            self._prove_alive(error)
            self._tally.drop(CommonsReason.BROKEN_ANSWER)
            raise PersonNotSearched(
                f"Wikimedia Commons fails for one person only: {error.message}"
            ) from error
        code = api.error_code(body)
        if code in NO_SUCH_TITLE:
            self._tally.drop(CommonsReason.BAD_TITLE)
            return api.Reply()
        if code:
            raise SourceError(
                f"Wikimedia Commons refuses the request: {code}", hint="Check commons.api_url."
            )
        try:
            return api.Reply.model_validate(body)
        except ValidationError:
            self._tally.drop(CommonsReason.UNREADABLE)
            raise PersonNotSearched(
                "an answer of Wikimedia Commons has another shape than it should have"
            ) from None

    def _prove_alive(self, error: ApiError) -> None:
        """
        Ask for something that always works.

        If that fails too, the API is broken for everybody.
        """
        try:
            self._call({"meta": "siteinfo"})
        except ApiError:
            raise SourceError(
                f"Wikimedia Commons does not work: {error.message}", hint="Try again later."
            ) from error

    def _call(self, params: dict[str, str]) -> object:
        try:
            # maxlag: programs that nobody waits for step back while the databases lag
            # (mediawiki.org, Manual:Maxlag parameter).
            return self._api.get_json(
                self._url,
                {
                    "action": "query",
                    "format": "json",
                    "formatversion": "2",
                    "maxlag": "5",
                    **params,
                },
            )
        except SourceBlocked as blocked:
            raise SourceBlocked(
                blocked.message, hint=CONTACT_HINT, until=blocked.until
            ) from blocked
