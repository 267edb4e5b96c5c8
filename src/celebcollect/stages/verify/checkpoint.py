"""Remember how far a `verify` has come and what it has found, so that a killed one is gone on with.

It is kept in notes of the catalogue, found things in pieces: neither a folder nor a file is made.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from celebcollect.catalogue.base import Notes
from celebcollect.disk import owners
from celebcollect.domain.batches import batches
from celebcollect.domain.errors import Busy
from celebcollect.stages.verify.findings import Disagreement

NOTE = "verify"

_PIECE = 500
"""Findings per note: MongoDB takes documents of at most 16 MB."""

FOREIGN_S = 900.0
"""Silence after which a `verify` of another machine counts as dead; it writes every few seconds."""

GOOD_FOR_S = 6 * 3600.0
"""Silence up to which a killed `verify` is gone on with: what it saw whole counts as whole now."""


@dataclass
class Checkpoint:
    """How far it has come."""

    notes: Notes
    options: Mapping[str, Any]
    """What is looked at: another choice begins anew."""
    phase: str = ""
    after: str = ""
    """What was done last in this phase: a person, a key, a place."""
    checked: dict[str, int] = field(default_factory=dict)
    findings: list[Disagreement] = field(default_factory=list)
    resumed: bool = False
    _saved: int = 0
    _pieces: int = 0

    def count(self, what: str, number: int) -> None:
        """Count what was looked at."""
        self.checked[what] = self.checked.get(what, 0) + number

    def save(self) -> None:
        """Write down how far it has come: what was found first."""
        for some in batches(self.findings[self._saved :], _PIECE):
            by_person: dict[str, list[dict[str, Any]]] = {}
            for finding in some:
                # `forget` takes a person's entries out of notes by their key.
                by_person.setdefault(finding.qid or "", []).append(finding.facts())
            self.notes.set_note(f"{NOTE}/{self._pieces}", by_person)
            self._pieces += 1
        self._saved = len(self.findings)
        state = {
            "options": dict(self.options),
            "phase": self.phase,
            "after": self.after,
            "checked": self.checked,
            "pieces": self._pieces,
            "owner": owners.this_owner(),
            "at": time.time(),
        }
        self.notes.set_note(NOTE, state)

    def clear(self) -> None:
        """Forget all of it: the next `verify` begins anew."""
        _remove(self.notes, self._pieces)


def load(notes: Notes, options: Mapping[str, Any], *, anew: bool = False) -> Checkpoint:
    """
    Return where the last `verify` of the same choice was killed, or a new beginning.

    It is a new one with `anew`, and where the killed one has been silent for `GOOD_FOR_S`.

    Raises:
        Busy: It is at work.
    """
    state = notes.note(NOTE)
    checkpoint = Checkpoint(notes, options)
    if state is None:
        return checkpoint
    _refuse_two(state)
    pieces = int(state["pieces"])
    is_old = abs(time.time() - float(state["at"])) > GOOD_FOR_S
    if anew or is_old or state["options"] != dict(options):
        _remove(notes, pieces)
        return checkpoint
    checkpoint.phase, checkpoint.after = state["phase"], state["after"]
    checkpoint.checked = dict(state["checked"])
    checkpoint.findings = [
        Disagreement.of(facts)
        for piece in range(pieces)
        for some in (notes.note(f"{NOTE}/{piece}") or {}).values()
        for facts in some
    ]
    checkpoint.resumed = True
    checkpoint._saved, checkpoint._pieces = len(checkpoint.findings), pieces
    return checkpoint


def _refuse_two(state: Mapping[str, Any]) -> None:
    owner = str(state["owner"])
    silent = time.time() - float(state["at"]) > FOREIGN_S
    if owner != owners.this_owner() and not owners.is_dead(owner) and not silent:
        raise Busy("another verify looks at this collection", hint="Wait until it ends.")


def _remove(notes: Notes, pieces: int) -> None:
    # The state goes last: until then the pieces are found.
    for piece in range(pieces):
        notes.set_note(f"{NOTE}/{piece}", None)
    notes.set_note(NOTE, None)
