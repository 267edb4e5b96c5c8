"""A web to fetch from, and a fetcher that may use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from celebcollect.config.sections import HttpConfig, StoreConfig
from celebcollect.web.fetch import Fetcher
from picture_web import PictureWeb, serve


@pytest.fixture
def web() -> Iterator[PictureWeb]:
    """A server without any page."""
    with serve() as running:
        yield running


@pytest.fixture
def fetcher() -> Iterator[Callable[..., Fetcher]]:
    """Make fetchers that may use this machine, with `[store]` settings of one's own."""
    made: list[Fetcher] = []

    def make(timeout_s: float = 5, contact: str = "", **store: object) -> Fetcher:
        settings = StoreConfig(**{"allow_private_addresses": True, **store})
        made.append(Fetcher(settings, HttpConfig(timeout_s=timeout_s, contact=contact)))
        return made[-1]

    yield make
    for one in made:
        one.close()
