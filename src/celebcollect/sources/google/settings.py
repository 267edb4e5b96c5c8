"""`[google]`: the keys of Google Images."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from celebcollect.config.fields import HttpUrl, HttpUrlOrEmpty, Section


def _query_template(value: str) -> str:
    if "{name}" not in value:
        raise ValueError("a query template needs {name}")
    if set(value.replace("{name}", "").replace("{occupation}", "")) & set("{}"):
        raise ValueError("a query template knows {name} and {occupation} only")
    return value


QueryTemplate = Annotated[str, Field(max_length=300), AfterValidator(_query_template)]


class GoogleConfig(Section):
    """`[google]`: the browser and how gently it asks."""

    search_url: HttpUrl = "https://www.google.com/search"
    """Where to search."""
    browser: str = ""
    """Path of Chromium or Chrome; empty: found on this machine."""
    driver: str = ""
    """Path of chromedriver; empty: found on this machine."""
    # may carry a password
    remote_url: HttpUrlOrEmpty = Field(default="", repr=False)
    """A Selenium Grid; empty: a browser on this machine."""
    headless: bool = True
    """Run the browser without a window."""
    images_per_celebrity: int = Field(default=20, ge=1, le=1000)
    """Pictures to ask for per search of a person."""
    min_interval_s: float = Field(default=15, ge=0, le=86_400)
    """Seconds between two queries."""
    timeout_s: float = Field(default=30, gt=0, le=600)
    """Seconds to wait for a page to arrive."""
    page_wait_s: float = Field(default=10, gt=0, le=120)
    """Seconds to wait for a page that has arrived to show what it is."""
    queries_per_browser: int = Field(default=50, ge=1, le=10_000)
    """Queries before the browser is started afresh."""
    query_templates: tuple[QueryTemplate, ...] = Field(
        default=("{name} {occupation}",), min_length=1, max_length=10
    )
    """Queries per person, in turn until there are enough pictures; with {name} and, if wanted,
    {occupation}."""
    face: bool = True
    """Ask for pictures that show a face."""
    size: Literal["", "large", "medium", "icon", "2mp", "4mp", "8mp", "12mp", "20mp", "40mp"] = ""
    """Ask for this size, or for more than so many megapixels; empty: any."""
    licence: Literal["", "creative-commons", "commercial"] = ""
    """Ask for pictures under these licences, as far as Google knows; empty: any."""
    safe: Literal["active", "images", "off"] = "active"
    """Google's SafeSearch: filter, blur, or show explicit pictures."""
    language: str = Field(default="en", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    """Language of Google's pages; texts of pages are known best in English."""
    cache_days: float = Field(default=30, ge=0, le=3650)
    """How long the answer to a query is used again; 0: always ask."""
