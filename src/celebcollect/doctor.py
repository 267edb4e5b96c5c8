"""Look at everything that a run will need, before it is needed.

What works, what does not, and what to do.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celebcollect.app import App
from celebcollect.bus.base import our_topics
from celebcollect.checks.registry import installed_checks
from celebcollect.domain.errors import CelebCollectError
from celebcollect.domain.tally import Tally
from celebcollect.sources.base import SourceContext
from celebcollect.sources.spec import SourceSpec
from celebcollect.vision.better_engine import better
from celebcollect.vision.engines import engine_for, lacking
from celebcollect.web.server_time import server_time
from celebcollect.web.urls import shown_url

if TYPE_CHECKING:
    from celebcollect.catalogue.base import Notes

LEAST_FREE_BYTES = 5_000_000_000
"""Ten thousand pictures and their quarantine at half a megabyte each."""
FULL_BYTES = 200_000_000
"""With less than that a few pictures and the databases' own files fill the disk within minutes."""
CLOCK_TOLERANCE_S = 120
"""Certificates and leases want a clock that is right to minutes."""


class Verdict(StrEnum):
    """How a finding is meant."""

    OK = "ok"
    ADVICE = "advice"  # something is left out without it
    MISSING = "missing"  # nothing works without it


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    what: str
    hint: str = ""


class _NoNotes:
    """Stands in for a catalogue that cannot be reached."""

    def note(self, _key: str) -> dict[str, Any] | None:
        return None

    def set_note(self, key: str, value: Mapping[str, Any] | None) -> None:
        pass


def examine(app: App) -> Iterator[Finding]:
    """Look at one thing after the other; a service that does not answer takes its timeout."""
    yield _data_folder(app)
    yield _try("log", lambda: f"{app.bus.kind}, {_topics(app)} topics")
    catalogue = _try(
        "catalogue",
        lambda: f"{app.catalogue.kind}, {app.catalogue.counts().celebrities} celebrities",
    )
    yield catalogue
    # Each thing is looked at for itself: without a catalogue the others can only not know what a
    # run before has noted.
    notes: Notes = app.catalogue if catalogue.verdict is Verdict.OK else _NoNotes()
    yield _contact(app)
    wikidata = shown_url(app.people_settings.endpoint)
    yield _try(
        "wikidata",
        lambda: f"{wikidata} answers",
        lambda: app.people_source(Tally(), wait=_wait, notes=notes).probe(),
    )
    for spec in app.sources:
        if spec.probe:
            yield _source(app, spec, spec.probe, notes)
    for problem in (*app.sources.problems, *installed_checks().problems):
        yield Finding(
            "plug-in", Verdict.ADVICE, problem, "Bring its package up to date, or uninstall it."
        )
    yield _faces(app)
    yield _clock(app)


def _topics(app: App) -> int:
    return len(our_topics(app.bus, app.config.topics.all()))


def _try(
    name: str,
    what: Callable[[], str],
    probe: Callable[[], object] = lambda: None,
    *,
    needed: bool = True,
) -> Finding:
    try:
        probe()
        return Finding(name, Verdict.OK, what())
    except CelebCollectError as error:
        return Finding(
            name, Verdict.MISSING if needed else Verdict.ADVICE, error.message, error.hint
        )


def _data_folder(app: App) -> Finding:
    folder = app.data_dir.resolve()
    # The first run makes it: what counts until then is the folder that it will be made in.
    where = next(place for place in (folder, *folder.parents) if place.exists())
    if not where.is_dir():
        hint = "Set data_dir to a folder that can be written."
        return Finding("data folder", Verdict.MISSING, f"{where} is no folder", hint)
    inside = [entry for entry in _entries(folder) if entry.is_dir()]
    for place in (where, *inside):
        if not os.access(place, os.W_OK | os.X_OK):
            hint = (
                "Set data_dir to a folder that can be written, or give this user the right to write"
                " there."
            )
            return Finding("data folder", Verdict.MISSING, f"{place} cannot be written", hint)
    free = shutil.disk_usage(where).free
    told = f"{folder}{'' if where == folder else ' (not made yet)'}, {free / 1e9:.1f} GB free"
    return _space(free, told)


def _space(free: int, told: str) -> Finding:
    if free < FULL_BYTES:
        return Finding(
            "data folder",
            Verdict.MISSING,
            told,
            "Make room, or set data_dir to a folder on a larger disk.",
        )
    if free < LEAST_FREE_BYTES:
        return Finding(
            "data folder",
            Verdict.ADVICE,
            told,
            f"Less than {LEAST_FREE_BYTES / 1e9:.0f} GB soon fill up; nothing is ever deleted.",
        )
    return Finding("data folder", Verdict.OK, told)


def _entries(folder: Path) -> list[Path]:
    """
    Return what lies in a folder.

    A run by another user (root, once) leaves folders there that this one may not write.
    """
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _contact(app: App) -> Finding:
    contact = app.config.http.contact
    if contact:
        return Finding("contact", Verdict.OK, contact)
    hint = (
        "Set [http] contact to a mail address or URL: Wikimedia slows down or refuses programs that"
        " nobody can be asked about."
    )
    return Finding("contact", Verdict.ADVICE, "nobody to write to in our User-Agent", hint)


def _source(
    app: App, spec: SourceSpec, probe: Callable[[SourceContext[Any]], str], notes: Notes
) -> Finding:
    name = spec.probe_name or spec.name
    why_not = app.why_unusable(spec.name)
    if why_not:
        return Finding(name, Verdict.ADVICE, why_not, spec.hint)
    context = app.source_context(spec.name, Tally(), wait=_wait, notes=notes)
    return _try(name, lambda: probe(context), needed=False)


def _faces(app: App) -> Finding:
    clean = app.config.clean
    if clean.faces == "off":
        return Finding("faces", Verdict.OK, "switched off")
    try:
        spec = engine_for(clean)
    except CelebCollectError as error:
        return Finding("faces", Verdict.MISSING, error.message, error.hint)
    if spec is None:
        why_not = lacking(clean) or "no face engine"
        return Finding("faces", Verdict.ADVICE, why_not, "Without it wrong people stay in.")
    what = f"engine {spec.name}"
    if gain := better(clean):
        return Finding("faces", Verdict.ADVICE, what, gain)
    return Finding("faces", Verdict.OK, what)


def _clock(app: App) -> Finding:
    told = server_time(app.people_settings.endpoint, app.config.http)
    offset = None if told is None else (datetime.now(UTC) - told).total_seconds()
    if offset is None:
        return Finding(
            "clock", Verdict.ADVICE, "no server told the time", "Compare it yourself: `date -u`."
        )
    if abs(offset) > CLOCK_TOLERANCE_S:
        return Finding(
            "clock",
            Verdict.MISSING,
            f"{offset:+.0f} s off the endpoint's",
            "Set the clock: certificates and leases depend on it.",
        )
    return Finding("clock", Verdict.OK, f"{offset:+.0f} s off the endpoint's")


def _wait(seconds: float) -> bool:
    time.sleep(seconds)
    return False
