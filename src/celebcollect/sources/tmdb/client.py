"""The conversation with TMDB.

Sends the token, keeps the pace, tells faults of one answer from faults of TMDB.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TypeVar

from pydantic import ValidationError

from celebcollect.config.sections import HttpConfig
from celebcollect.domain.errors import SourceError
from celebcollect.domain.tally import Tally
from celebcollect.sources.base import PersonNotSearched
from celebcollect.sources.tmdb import errors
from celebcollect.sources.tmdb.api import Configuration, TmdbAnswer
from celebcollect.sources.tmdb.reasons import TmdbReason
from celebcollect.sources.tmdb.settings import TmdbConfig
from celebcollect.web.client import ApiClient, ApiError, RequestPolicy
from celebcollect.web.rate_limiter import Wait

A = TypeVar("A", bound=TmdbAnswer)


class TmdbClient:
    """Asks TMDB, in any number of threads; counts every request as `tmdb_requests`."""

    def __init__(
        self, settings: TmdbConfig, http: HttpConfig, *, tally: Tally, wait: Wait | None
    ) -> None:
        self._base = settings.base_url.rstrip("/")
        self._size = settings.image_size
        self._tally = tally
        # In a header and not in the URL, where logs and proxies would keep it.
        self._headers = {
            "Authorization": f"Bearer {errors.checked(settings.token.get_secret_value().strip())}"
        }
        self._picture_base = ""
        self._lock = threading.Lock()
        rate = settings.requests_per_s
        self._api = ApiClient(
            http,
            # TMDB allows about 40 per second and client (2026): 20, a second's worth at once, leave
            # room for other programs.
            RequestPolicy(rate_per_s=rate, burst=max(1, round(rate)), connections=8),
            may_pass=errors.may_pass,
            on_request=lambda: tally.count("tmdb_requests"),
            wait=wait,
        )

    def ask(self, path: str, model: type[A], **params: str | int) -> Iterator[A]:
        """
        Yield the answer, or nothing (and count that) when what is asked for is not on TMDB.

        Raises:
            PersonNotSearched: Only this answer is broken.
            SourceError: TMDB is, for everybody.
        """
        try:
            answer = model.model_validate(self._call(path, **params))
        except ValidationError:
            self._tally.drop(TmdbReason.UNREADABLE)
            raise PersonNotSearched(
                "an answer of TMDB has another shape than it should have"
            ) from None
        except ApiError as error:
            fault = errors.fault_of(error)
            if fault == "everything":
                raise errors.in_words(error) from error
            if fault == "this answer":
                self._prove_alive(error)
                self._tally.drop(TmdbReason.BROKEN_ANSWER)
                raise PersonNotSearched(
                    f"TMDB fails for one person only: {error.message}"
                ) from error
            self._tally.drop(TmdbReason.GONE)
        else:
            yield answer

    def picture_base(self) -> str:
        """
        Return what comes before the path of a picture; asks TMDB once.

        Raises:
            SourceError: TMDB does not tell, or has no pictures of the configured size.
        """
        with self._lock:
            if not self._picture_base:
                try:
                    settings = Configuration.model_validate(self._call("/configuration")).images
                except ApiError as error:
                    raise errors.in_words(error) from error
                except ValidationError:
                    raise SourceError(
                        "TMDB's /configuration has another shape than it should have",
                        hint="Check tmdb.base_url.",
                    ) from None
                if self._size not in settings.profile_sizes:
                    raise SourceError(
                        f"TMDB has no portraits of size {self._size}",
                        hint="Set tmdb.image_size to another one.",
                    )
                self._picture_base = f"{settings.secure_base_url.rstrip('/')}/{self._size}"
            return self._picture_base

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _prove_alive(self, error: ApiError) -> None:
        """Ask for something that always works: if that fails too, TMDB is broken for everybody."""
        try:
            self._call("/configuration")
        except ApiError:
            raise errors.in_words(error) from error

    def _call(self, path: str, **params: str | int) -> object:
        return self._api.get_json(f"{self._base}{path}", params, self._headers)
