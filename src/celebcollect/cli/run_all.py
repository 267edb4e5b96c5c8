"""`run-all`: do everything, for people until each has enough pictures."""

import time
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from celebcollect.cli.session import JsonOption, Session, session_of
from celebcollect.cli.signals import Stop, stopping
from celebcollect.domain.errors import (
    CelebCollectError,
    NothingProduced,
    ServiceError,
    UsageError,
)
from celebcollect.sources.registry import installed

if TYPE_CHECKING:
    from celebcollect.app import App
    from celebcollect.run.plan import RunPlan
    from celebcollect.run.progress import RunProgress


class Celebrities(StrEnum):
    """Whom `run-all` works on."""

    NEW = "new"
    KNOWN = "known"
    ALL = "all"


def run_all(
    context: typer.Context,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Work on at most N people.")
    ] = None,
    target_images: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Accepted pictures wanted per person.")
    ] = None,
    sources: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help=f"{', '.join(installed().names)}; all that can be used when left out.",
        ),
    ] = None,
    celebrities: Annotated[
        Celebrities,
        typer.Option(
            help=(
                "new: ask Wikidata, work on those not finished yet; known: those in the catalogue;"
                " all: everybody."
            )
        ),
    ] = Celebrities.NEW,
    max_rounds: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Search a person who is short at most N times."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """
    Find celebrities, collect, validate, store and clean their pictures, again for those left
    short, and print what came out.

    Example: celebcollect run-all --limit 10 --target-images 20
    """
    given = {"target_images": target_images, "max_rounds": max_rounds}
    changes = {key: value for key, value in given.items() if value is not None}
    from celebcollect.run.lock import run_lock

    session, named = session_of(context), _named(sources)
    with stopping() as stop, session.app(stop, run=changes) as app, run_lock(app.data_dir):
        # Whoever names a source wants it: what it lacks is then an error of its own.
        unusable = _unusable(app, named) if sources is None else {}
        plan = _plan(app, named, unusable, limit, celebrities)
        # Built now: what they lack, or require in vain, is told before hours of work, and once.
        _ = app.checks
        _Run(session, app, plan, unusable, as_json).do(stop)


def _unusable(app: "App", names: tuple[str, ...]) -> dict[str, str]:
    """Return what those sources lack that cannot be used on this machine."""
    import logging

    found = {name: why_not for name in names if (why_not := app.why_unusable(name))}
    for name, why_not in found.items():
        logging.getLogger(__name__).info("without %s: %s", name, why_not)
    return found


def _plan(
    app: "App",
    named: tuple[str, ...],
    unusable: dict[str, str],
    limit: int | None,
    celebrities: Celebrities,
) -> "RunPlan":
    from celebcollect.run.plan import RunPlan

    return RunPlan(
        sources=tuple(name for name in named if name not in unusable),
        target_images=app.config.run.target_images,
        max_rounds=app.config.run.max_rounds,
        limit=limit,
        celebrities=celebrities.value,
    )


class _Run:
    """One run: it is shown while it goes on, and told when it has ended."""

    def __init__(
        self,
        session: Session,
        app: "App",
        plan: "RunPlan",
        unusable: dict[str, str],
        as_json: bool,
    ) -> None:
        from celebcollect.run.progress import RunProgress
        from celebcollect.run.watch import RunWatch

        self._session, self._app, self._plan = session, app, plan
        self._unusable, self._as_json = unusable, as_json
        self._progress = RunProgress()
        self._watch, self._begun = RunWatch(app, self._progress), time.monotonic()

    def do(self, stop: Stop) -> None:
        from celebcollect.cli.run_display import watching
        from celebcollect.run.rounds import run_all as run

        try:
            with watching(
                self._watch,
                self._progress,
                rounds=self._plan.max_rounds,
                verbosity=self._session.verbosity,
                log_format=self._session.log_format.value,
            ):
                run(self._app, self._plan, self._progress, stop)
        except CelebCollectError:
            # What ended the run may keep us from looking at what came of it.
            with suppress(CelebCollectError):
                self._tell(interrupted=stop.is_set())
            raise
        self._tell(interrupted=stop.is_set())
        if not stop.is_set():
            judge(self._plan, self._progress)

    def _tell(self, *, interrupted: bool) -> None:
        from celebcollect.cli.run_display import run_table
        from celebcollect.cli.run_summary import RunSummary

        summary = RunSummary.of(
            self._app,
            self._plan,
            self._progress,
            unusable=self._unusable,
            config_file=self._session.config_file,
            interrupted=interrupted,
        )
        if self._as_json:
            summary.print_json()
        elif self._session.verbosity < 0:
            summary.print_line()
        else:
            self._watch.look()
            spent_s = time.monotonic() - self._begun
            rounds = self._plan.max_rounds
            summary.print(run_table(self._watch, self._progress, rounds=rounds, spent_s=spent_s))


def _named(given: str | None) -> tuple[str, ...]:
    """Return the sources that were named, or all."""
    from celebcollect.sources.registry import usable

    sources = usable().names
    if given is None:
        return sources
    names = tuple(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))
    unknown = [name for name in names if name not in sources]
    if unknown or not names:
        raise UsageError(
            f"--sources: unknown source {', '.join(map(repr, unknown)) or repr(given)}",
            hint=f"Sources are {', '.join(sources)}.",
        )
    return names


def judge(plan: "RunPlan", progress: "RunProgress") -> None:
    """
    End with an error when a source failed, or when there was work and nothing came of it.

    A blocked source is no error.
    """
    from celebcollect.run.progress import PEOPLE

    for name, error in progress.failed.items():
        raise ServiceError(f"{name}: {error.message}", hint=error.hint)
    if (
        not progress.people
        and plan.celebrities != "known"
        and not progress.tally(PEOPLE)["people"] + progress.tally(PEOPLE)["people_before"]
    ):
        raise NothingProduced(
            "Wikidata knows nobody who fits",
            hint="Loosen min_sitelinks, born_after or occupations in [wikidata].",
        )
    searched = sum(progress.tally(name)["asked for"] for name in plan.sources)
    found = sum(progress.tally(name)["candidates"] for name in plan.sources)
    if (
        searched
        and not found
        and plan.sources
        and all(name in progress.blocked for name in plan.sources)
    ):
        told = "; ".join(error.message for error in progress.blocked.values())
        raise NothingProduced(
            f"every source wants to be left alone: {told}",
            hint="Run it again after that, or with other --sources.",
        )
    if searched and not found:
        raise NothingProduced(
            f"no source has a picture of anybody ({', '.join(plan.sources)})",
            hint="`celebcollect -v run-all` logs every search.",
        )
