"""Print what came of a run, who is short and why, and what to do next."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celebcollect.cli.stage_table import print_stages
from celebcollect.cli.text import print_json, print_line, printable

if TYPE_CHECKING:
    from celebcollect.app import App
    from celebcollect.cli.stage_table import StageTable
    from celebcollect.run.plan import RunPlan
    from celebcollect.run.progress import RunProgress
    from celebcollect.run.shortfall import ShortPerson

MAX_PEOPLE = 8
"""People named one by one; of the others the causes are counted."""


@dataclass(frozen=True)
class RunSummary:
    """What is told of a run when it has ended."""

    app: App
    plan: RunPlan
    progress: RunProgress
    short: Sequence[ShortPerson]
    unusable: Mapping[str, str]
    """What the sources that were left out lack."""
    program: str
    """How the program is called, to be typed again."""
    interrupted: bool

    @classmethod
    def of(
        cls,
        app: App,
        plan: RunPlan,
        progress: RunProgress,
        *,
        unusable: Mapping[str, str],
        config_file: Path | None,
        interrupted: bool,
    ) -> RunSummary:
        """Look at what came of a run."""
        from celebcollect.run.shortfall import short_people

        short = short_people(
            app.catalogue, progress, sources=plan.sources, target=plan.target_images
        )
        program = (
            "celebcollect"
            if config_file is None
            else f"celebcollect --config {shlex.quote(str(config_file))}"
        )
        return cls(app, plan, progress, short, unusable, program, interrupted)

    def print_json(self) -> None:
        """Print it for a program."""
        progress = self.progress
        facts: dict[str, Any] = {"people": len(progress.people), "rounds": progress.round}
        facts["stages"] = {name: tally.as_dict() for name, tally in progress.tallies.items()}
        facts["blocked"] = {
            name: {
                "reason": error.message,
                "until": error.until.isoformat() if error.until else None,
            }
            for name, error in progress.blocked.items()
        }
        facts["failed"] = {name: error.message for name, error in progress.failed.items()}
        facts["unusable"] = dict(self.unusable)
        facts["short"] = [
            {"qid": person.qid, "name": person.name, "accepted": person.accepted, "why": person.why}
            for person in self.short
        ]
        print_json(facts)

    def print_line(self) -> None:
        """Print one line for a cron, and none when the run had nothing to do."""
        if not self.progress.did_anything():
            return
        people = len(self.progress.people)
        stored = self.progress.tally("store")["stored"]
        accepted = self.progress.tally("clean")["accepted"]
        left_out = [*self.progress.blocked, *self.progress.failed]
        print_line(
            f"run-all: {people - len(self.short)} of {people} people have"
            f" {self.plan.target_images} pictures; {stored} stored, {accepted} accepted"
            f"{'; not asked to the end: ' + ', '.join(left_out) if left_out else ''}"
        )

    def print(self, view: StageTable) -> None:
        """Print it for a person, below the stages."""
        print_stages(view)
        counts = self.app.catalogue.counts()
        numbers = ", ".join(f"{n} {state.value}" for state, n in counts.images.items())
        print_line(f"{counts.celebrities} celebrities; images: {numbers}")
        print_line(
            f"Pictures lie in {self.app.data_dir / 'images'}, rejected ones in"
            f" {self.app.data_dir / 'quarantine'}."
        )
        people = len(self.progress.people)
        if people:
            print_line(
                f"{people - len(self.short)} of {people} people have"
                f" {self.plan.target_images} pictures{':' if self.short else '.'}"
            )
        for person in self.short[:MAX_PEOPLE]:
            print_line(
                f"{printable(person.name)} ({person.qid}) has {person.accepted}. {person.why}",
                indent=2,
            )
        if others := self.short[MAX_PEOPLE:]:
            causes = Counter(
                f"{offer}: {source}" for person in others for source, offer in person.offers.items()
            )
            print_line(
                f"and {len(others)} more."
                f" {'; '.join(f'{cause} for {n}' for cause, n in causes.most_common())}",
                indent=2,
            )
        steps = list(self._steps())
        if steps:
            print_line("What next:")
        for step in steps:
            print_line(step, indent=2)

    def _steps(self) -> Iterator[str]:
        """Yield what to do next, with commands that can be typed."""
        from celebcollect.domain.records import Status
        from celebcollect.run.shortfall import Offer
        from celebcollect.vision.better_engine import better

        if self.interrupted:
            yield "The run was interrupted: the same command goes on where it was."
        for name, blocked in self.progress.blocked.items():
            when = f"after {blocked.until:%Y-%m-%d %H:%M} UTC" if blocked.until else "later"
            yield (
                f"{name} is blocked: {printable(blocked.message)}. The same command goes on with it"
                f" {when}."
            )
        for name, failed in self.progress.failed.items():
            yield (
                f"{name} failed: {printable(failed.message)}."
                f" {failed.hint or f'`{self.program} doctor` looks at it.'}"
            )
        for name, why_not in self.unusable.items():
            yield f"{name} was left out: {why_not}. `{self.program} doctor` says what to do."
        offers = {offer for person in self.short for offer in person.offers.values()}
        if not self.interrupted and Offer.MAYBE_MORE in offers:
            yield (
                f"Some of them may get more: `{self.program} run-all --celebrities known` searches"
                " those who are short again."
            )
        elif not self.unusable and offers and offers <= {Offer.NOTHING, Offer.NO_MORE}:
            yield (
                "No source has more of those who are short; `topics publish` takes pictures from"
                " anywhere else."
            )
        counts = self.app.catalogue.counts().images
        if counts[Status.REJECTED]:
            yield (
                f"`{self.program} gallery DIR` shows what was rejected beside what was kept;"
                " `images --status rejected` lists it."
            )
        if counts[Status.ACCEPTED]:
            yield f"`{self.program} export DIR` writes the accepted pictures as a data set."
        if gain := better(self.app.config.clean):
            yield gain
