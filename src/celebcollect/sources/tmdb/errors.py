"""What TMDB's error codes mean, and what a token looks like.

Source: developer.themoviedb.org/docs/errors, 2026.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Literal

from celebcollect.domain.errors import ConfigError, SourceBlocked, SourceError
from celebcollect.domain.records import now
from celebcollect.web.client import ApiError, passes

HOW_TO_GET_ONE = (
    "Create a free account, copy the API Read Access Token (v4) from"
    " https://www.themoviedb.org/settings/api and set CELEBCOLLECT_TMDB__TOKEN to it."
)


def checked(token: str) -> str:
    """
    Return a token that may be sent.

    Raises:
        SourceError: There is none.
        ConfigError: It cannot be one. That is checked because the HTTP library quotes a header that
            it refuses to send.
    """
    if not token:
        raise SourceError("tmdb.token is empty", hint=HOW_TO_GET_ONE)
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ConfigError("tmdb.token holds characters that no token has", hint=HOW_TO_GET_ONE)
    if re.fullmatch(r"[0-9a-f]{32}", token):
        raise ConfigError("tmdb.token is an API key of version 3", hint=HOW_TO_GET_ONE)
    return token


def code_of(body: Any) -> int | None:
    """Return TMDB's own status code of an answer, if there is one."""
    code = body.get("status_code") if isinstance(body, dict) else None
    return code if isinstance(code, int) else None


def may_pass(status: int, body: Any) -> bool:
    """
    Tell whether the same request may succeed within a minute.

    25 (too many requests) is said with any HTTP status; 44 (this id is invalid) is a lasting 500; 9
    and 46 (offline, maintenance) last longer than we wait.
    """
    code = code_of(body)
    return code == 25 or (code not in (9, 44, 46) and passes(status, body))


def fault_of(error: ApiError) -> Literal["gone", "this answer", "everything"]:
    """
    Tell how far an error reaches.

    This person is not (or no more) on TMDB, perhaps only this answer is broken, or nothing will
    work.
    """
    code = code_of(error.body)
    if code in (6, 34, 44):
        return "gone"
    if code in (9, 25, 46):
        return "everything"
    return "this answer" if error.status < 300 or error.status >= 500 else "everything"


def in_words(error: ApiError) -> SourceError:
    """
    Say what an error means for the user.

    TMDB's own text is left out: it could repeat the token.
    """
    code = code_of(error.body)
    told = f"code {code}, HTTP {error.status}" if code is not None else f"HTTP {error.status}"
    away = {
        9: "is offline",
        24: "does not get answers from its own backend",
        25: "says that we ask too often",
        43: "cannot reach its own backend",
        46: "is under maintenance",
    }.get(code or 0)
    if away:
        # TMDB names no time; the others pass slowly
        until = now() + timedelta(minutes=1 if code == 25 else 15)
        return SourceBlocked(
            f"TMDB {away} ({told})",
            hint="Try again later; status.themoviedb.org tells more.",
            until=until,
        )
    if code in (10, 31, 45):
        return SourceError(
            f"TMDB has suspended the account of tmdb.token ({told})",
            hint="Only TMDB can lift that: https://www.themoviedb.org/talk",
        )
    if error.status in (401, 403):
        return SourceError(f"TMDB does not accept tmdb.token ({told})", hint=HOW_TO_GET_ONE)
    if code == 22:
        return SourceError(
            f"TMDB does not have that page ({told}): its lists end at page 500",
            hint="Ask for at most 10,000 popular people.",
        )
    if code == 27:
        return SourceError(
            f"TMDB takes at most 20 appended parts in one request ({told})",
            hint="That is a fault of celebcollect: please report it.",
        )
    if error.status == 404:
        return SourceError(
            f"TMDB's API is not there ({told})", hint="Check tmdb.base_url; it ends in /3."
        )
    return SourceError(
        f"TMDB does not work: {error.message}", hint="Check tmdb.base_url, or try again later."
    )
