"""Checks of stored pictures: every module here with an `ORDER` and a `build` is one."""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
from collections.abc import Sequence

from celebcollect.checks.base import Check, Settings
from celebcollect.config.sections import CleanConfig, StoreConfig


def build_checks(clean: CleanConfig, store: StoreConfig) -> list[Check]:
    """
    Build every check that the configuration asks for, in ascending `ORDER`: cheap ones first, each sees what the former left.

    A module offers `ORDER: int` and `build(settings: Settings) -> Check | None`; None means that it
    is switched off.

    Raises:
        ConfigError: A check that the configuration requires cannot work here.
    """
    settings = Settings(clean=clean, store=store)
    modules = [
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    ]
    built = [
        module.build(settings)
        for module in sorted(
            (m for m in modules if hasattr(m, "build")), key=lambda m: (m.ORDER, m.__name__)
        )
    ]
    return [check for check in built if check is not None]


def fingerprint(checks: Sequence[Check]) -> str:
    """Return a text that changes whenever one of the checks could decide differently."""
    told = json.dumps([(check.name, check.fingerprint()) for check in checks])
    return hashlib.sha256(told.encode()).hexdigest()[:32]
