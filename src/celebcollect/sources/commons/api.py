"""What we read of the MediaWiki API's answers.

PHP writes an empty table as a list, hence the validators.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any
from urllib.parse import quote, unquote, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from celebcollect.domain.text import MAX_URL_CHARS
from celebcollect.web.plain_text import plain_text

TITLES_PER_CALL = 50
"""What the API allows programs without special rights, and how many pictures one call scales."""
MAX_TITLES_CHARS = 6000  # percent-encoded; servers refuse request lines beyond 8 KB
MAX_TITLE_BYTES = 240  # MediaWiki's limit for the name of a file
MAX_TEXT_CHARS = 500
PHOTO_TYPES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "jpe": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}
"""Formats of photographs by extension: no SVG, TIFF, GIF, PDF, DjVu, sound or film."""

DRAWN = re.compile(
    # Categories of pictures that show a work of art, e.g. "Pencil drawings of men", but not "People
    # with drawings".
    r"(?:\A|\|)(?:(?!(?:with|and|in|at|by|of|for|near) )[\w'-]+ ){0,2}"
    r"(?:drawings|caricatures|cartoons|paintings|illustrations|engravings|etchings|lithographs|sketches|murals|graffiti|"
    r"sculptures|statues|busts|wax figures|signatures|autographs|logos|stamps|coins)(?="
    r" (?:of|by|in|from|after)\b|\||\Z)",
    re.IGNORECASE,
)


class CommonsAnswer(BaseModel):
    """Base of what we read: frozen, fields that we do not know are left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Meta(CommonsAnswer):
    """One entry of `extmetadata`."""

    value: Any = None


class File(CommonsAnswer):
    """What we read of `imageinfo`."""

    url: str
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    mime: str | None = None
    mediatype: str | None = None
    descriptionurl: str | None = None
    thumburl: str | None = None
    thumbwidth: int | None = Field(default=None, ge=1)
    thumbheight: int | None = Field(default=None, ge=1)
    extmetadata: Annotated[dict[str, Meta], BeforeValidator(lambda value: value or {})] = {}

    def text(self, *names: str) -> str | None:
        """Return the first of these entries that says something, as text without HTML."""
        values = (self.extmetadata[name].value for name in names if name in self.extmetadata)
        texts = (plain_text(value)[:MAX_TEXT_CHARS] for value in values if isinstance(value, str))
        return next(filter(None, texts), None)

    @property
    def is_photo_format(self) -> bool:
        """
        Tell whether photographs come in this format.

        The extension tells it where the API does not say.
        """
        return (
            self.mime or PHOTO_TYPES.get(self.url.rpartition(".")[2].lower())
        ) in PHOTO_TYPES.values()

    @property
    def is_drawn(self) -> bool:
        """Tell whether the API or the categories call it a drawing or a picture of an artwork."""
        categories = self.extmetadata.get("Categories", Meta()).value
        return self.mediatype not in (None, "BITMAP") or (
            isinstance(categories, str) and DRAWN.search(categories) is not None
        )


class FilePage(CommonsAnswer):
    """A file's page; without `imageinfo` there is no such file."""

    title: str
    imageinfo: tuple[Any, ...] = ()


class Rename(CommonsAnswer):
    """The API's own name for a title that we asked for."""

    asked: str = Field(alias="from")
    to: str


class Query(CommonsAnswer):
    """The `query` part of an answer."""

    normalized: tuple[Rename, ...] = ()
    redirects: tuple[Rename, ...] = ()
    pages: Annotated[
        tuple[FilePage, ...],
        BeforeValidator(lambda value: list(value.values()) if isinstance(value, dict) else value),
    ] = ()


class Reply(CommonsAnswer):
    """A whole answer: a batch is complete, or `more` has what to ask for next."""

    batchcomplete: Any = None
    query: Annotated[Query, BeforeValidator(lambda value: value or {})] = Query()
    more: Annotated[dict[str, Any], BeforeValidator(lambda value: value or {})] = Field(
        default={}, alias="continue"
    )

    @property
    def next_parameters(self) -> dict[str, str]:
        """
        Return the parameters of the next request, or nothing at the end.

        `iistart` leads to older versions of a file, which nobody wants.
        """
        found: dict[str, str] = {
            key: str(self.more[key])
            for key in ("iicontinue", "gcmcontinue", "continue")
            if key in self.more
        }
        return found if found.keys() - {"continue"} else {}


def title_of(portrait: str) -> str:
    """
    Return the title of the file that a Special:FilePath URL leads to.

    Raises:
        ValueError: It is no such URL, or no file can have that name.
    """
    _, found, encoded = urlsplit(portrait).path.partition("Special:FilePath/")
    name = " ".join(unquote(encoded, errors="strict").replace("_", " ").split())
    if (
        not found
        or not name
        or re.search(r"[|\x00-\x1f\x7f]", name)
        or len(name.encode()) > MAX_TITLE_BYTES
    ):
        raise ValueError("not the URL of a file")
    return f"File:{name}"


def batches(titles: Iterable[str]) -> Iterator[list[str]]:
    """Cut titles into lists that fit into one request."""
    batch: list[str] = []
    chars = 0
    for title in titles:
        length = len(quote(f"{title}|", safe=""))
        if batch and (len(batch) == TITLES_PER_CALL or chars + length > MAX_TITLES_CHARS):
            yield batch
            batch, chars = [], 0
        batch.append(title)
        chars += length
    if batch:
        yield batch


def followed(title: str, renamed: dict[str, str]) -> str:
    """
    Return the title under which the API answers.

    It was normalised, then redirected (MediaWiki follows one redirect).
    """
    for _ in range(3):
        title = renamed.get(title, title)
    return title


def error_code(body: Any) -> str | None:
    """Return the API's own error code; it comes with HTTP 200."""
    error = body.get("error") if isinstance(body, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return re.sub(r"[^A-Za-z0-9_-]", "?", code)[:60] if isinstance(code, str) else None


def web_address(url: str | None) -> str | None:
    """Return a URL that a message may carry, or None; `//host` is https there."""
    try:
        whole = f"https:{url}" if url and url.startswith("//") else url or ""
        parts = urlsplit(whole)
        # A lone surrogate has no bytes, and could not become a message.
        return (
            whole
            if parts.scheme in ("http", "https")
            and parts.hostname
            and len(whole.encode()) <= MAX_URL_CHARS
            else None
        )
    except ValueError:
        return None
