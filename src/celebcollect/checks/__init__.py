"""Checks of stored pictures: each entry point of the group `celebcollect.checks` names one.

What checks are made of is imported where they are built: every start reads this to learn of their
sections.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from celebcollect.checks.registry import installed_checks
from celebcollect.domain.errors import CelebCollectError

if TYPE_CHECKING:
    from celebcollect.checks.base import Check, CheckSettings, CheckSpec
    from celebcollect.config.sections import CleanConfig, Section, StoreConfig

log = logging.getLogger(__name__)


def build_checks(
    clean: CleanConfig, store: StoreConfig, own: Mapping[str, Section] | None = None
) -> list[Check]:
    """
    Build every check that the configuration asks for and this machine can run, in their order.

    Args:
        clean: The section that built-in checks share.
        store: The limits of what is stored.
        own: The sections that checks have for themselves, by the name of the check.

    Raises:
        ConfigError: A check that the configuration requires cannot work here.
    """
    from celebcollect.checks.base import CheckSettings

    checks: list[Check] = []
    lacking: dict[str, list[str]] = {}
    for spec in installed_checks().specs:
        settings = CheckSettings(clean, store, (own or {}).get(spec.name))
        built = _built(spec, settings)
        if isinstance(built, Lacking):
            lacking.setdefault(built.what, []).append(spec.name)
        elif isinstance(built, str):
            log.warning(_WITHOUT, spec.name, built)
        elif built:
            checks.append(built)
    for what, names in lacking.items():
        # Who has not installed it knows that, and a cron with `-q` must not send a mail each time.
        log.info(_WITHOUT, " and ".join(names), what)
    return checks


_WITHOUT = "cleaning without the check of %s: %s"


class Lacking(NamedTuple):
    """What a check says that it lacks."""

    what: str


def _built(spec: CheckSpec, settings: CheckSettings) -> Check | Lacking | str | None:
    """Return the check, None where it is switched off, what it lacks, or why it is broken."""
    try:
        if what := spec.lacks(settings):
            return Lacking(what)
        check = spec.build(settings)
    except CelebCollectError:
        raise
    except Exception as error:  # noqa: BLE001 - the check of another package may raise anything
        return " ".join(f"{type(error).__name__}: {error}".split())[:200]
    if check is None:
        return check
    # What it measures and rejects is kept under the check's name.
    return check if check.name == spec.name else f"it calls itself {check.name!a}"


def fingerprint(checks: Sequence[Check]) -> str:
    """Return a text that changes whenever one of the checks could decide differently."""
    told = json.dumps([(check.name, check.fingerprint()) for check in checks])
    return hashlib.sha256(told.encode()).hexdigest()[:32]
