"""Wait for many futures by one."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TypeVar

R = TypeVar("R")


def gather(futures: Sequence[Future[R]]) -> Future[list[R]]:
    """
    Return the future of all results, in their order.

    It is done when the last of the futures is, and has the first error in that order.
    """
    together: Future[list[R]] = Future()
    lock = threading.Lock()
    missing = len(futures)

    def settle() -> None:
        try:
            together.set_result([future.result() for future in futures])
        except BaseException as error:  # noqa: BLE001 - who waits gets it
            together.set_exception(error)

    def count(_: Future[R]) -> None:
        nonlocal missing
        with lock:
            missing -= 1
            is_last = missing == 0
        if is_last:
            settle()

    for future in futures:
        future.add_done_callback(count)
    if not futures:
        settle()
    return together
