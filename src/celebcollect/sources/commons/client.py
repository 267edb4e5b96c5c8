"""The conversation with Wikimedia Commons: batches, continuation, and what its errors mean."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from celebcollect.config.sections import HttpConfig
from celebcollect.domain.errors import SourceBlocked, SourceError
from celebcollect.domain.tally import Tally
from celebcollect.sources.base import PersonNotSearched
from celebcollect.sources.commons import api
from celebcollect.sources.commons.reasons import CommonsReason
from celebcollect.sources.commons.settings import CommonsConfig
from celebcollect.web.client import ApiClient, ApiError, RequestPolicy, passes
from celebcollect.web.rate_limiter import Wait

MAX_CALLS = 40
"""Per category: 2,000 files of one person are more than enough."""
FIELDS = "LicenseShortName|UsageTerms|LicenseUrl|Artist|Attribution|Restrictions|Categories"
LEAVE_ALONE = {"maxlag", "ratelimited", "readonly"}
PASSING = LEAVE_ALONE | {"internal_api_error_DBQueryError", "internal_api_error_DBConnectionError"}
NO_SUCH_TITLE = {"invalidtitle", "invalidcategory"}
CONTACT_HINT = (
    "Wikimedia asks programs to say whom to write to: set http.contact to a mail address or URL."
)


class CommonsClient:
    """Asks the MediaWiki API about files, in any number of threads."""

    def __init__(
        self, settings: CommonsConfig, http: HttpConfig, *, tally: Tally, wait: Wait | None
    ) -> None:
        self._url = settings.api_url
        self._width_px = settings.width_px
        self._tally = tally
        self._api = ApiClient(
            http,
            # Wikimedia's Robot policy (2025): at most two
            RequestPolicy(rate_per_s=settings.requests_per_s, connections=2),
            may_pass=lambda status, body: passes(status, body) or api.error_code(body) in PASSING,
            on_request=lambda: tally.count("commons_requests"),
            wait=wait,
        )

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def query(self, **what: str) -> Iterator[tuple[dict[str, api.FilePage], dict[str, str]]]:
        """
        Yield pages by title, and the API's own names for the titles asked for, in batches.

        Raises as `Commons.candidates` does.
        """
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
