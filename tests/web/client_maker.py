"""Makes API clients for tests and closes them."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, Self

from celebcollect.config.sections import HttpConfig
from celebcollect.web.client import ApiClient, RequestPolicy


class Clients:
    """Makes clients that note their waits instead of waiting; closes them at the end."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def make(
        self,
        *,
        timeout_s: float = 5,
        contact: str = "",
        policy: RequestPolicy | None = None,
        **options: Any,
    ) -> ApiClient:
        """Make a client, by default one without a pace."""
        options.setdefault("wait", self.waits.append)
        api = ApiClient(
            HttpConfig(timeout_s=timeout_s, contact=contact),
            policy or RequestPolicy(rate_per_s=10_000, burst=10_000),
            **options,
        )
        self._open.callback(api.close)
        return api
