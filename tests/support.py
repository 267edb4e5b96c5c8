"""What tests of every area use: where the captured data is, and the rule for missing services."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


def folder_of_run(factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all processes of this run of the tests share, and no other run."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def missing(what: str) -> NoReturn:
    """Skip the test on a laptop, fail it in CI: there, nothing may be missing."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is missing")


def eventually(true: Callable[[], object], seconds: float = 10) -> bool:
    """Wait until something holds; return whether it came to that in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
