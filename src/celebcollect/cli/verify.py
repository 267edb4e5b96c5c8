"""`verify`: compare catalogue, files, topic and notes, and mend them."""

import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from celebcollect.cli.session import JsonOption, session_of
from celebcollect.cli.signals import stopping
from celebcollect.cli.text import print_json, printable
from celebcollect.domain.errors import NothingProduced, Unmended

if TYPE_CHECKING:
    from collections.abc import Collection

    from celebcollect.app import App
    from celebcollect.stages.verify.context import VerifyContext
    from celebcollect.stages.verify.run import Progress, Verified

SHOW_EVERY_S = 0.2


def verify(
    context: typer.Context,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what does not agree.")] = False,
    sample: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Look at N pictures drawn by chance, and neither for strange files nor messages.",
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, metavar="N", help="Files read at the same time.")
    ] = 4,
    anew: Annotated[
        bool, typer.Option("--anew", help="Do not go on with one that was killed.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """
    Compare catalogue, picture files, dataclean and notes of exports, and print what does not
    agree.

    Every file is read and its SHA-256 compared. With --fix lost pictures are withdrawn and fetched
    again by `store`, messages are published or withdrawn, strange files are moved to data_dir/lost.
    One that was killed less than six hours ago is gone on with. Ends with 4 when something is wrong
    and not mended.

    Example: celebcollect verify --fix
    """
    from celebcollect.stages.verify.run import VerifyOptions
    from celebcollect.stages.verify.run import verify as run_verify

    session = session_of(context)
    with session.app(looking=True) as app:
        _refuse_nothing(app)
    options = VerifyOptions(fix=fix, sample=sample, workers=workers, anew=anew)
    with stopping() as stop, session.app(stop, looking=not fix) as app:
        verified = run_verify(_context(app, fix=fix), options, progress=_progress(), stop=stop)
    if as_json:
        _print_json(verified)
    else:
        _print(verified, quiet=session.verbosity < 0)
    if verified.unmended:
        kinds = Counter(finding.kind.value for finding in verified.unmended)
        raise Unmended(
            f"{len(verified.unmended)} things do not agree:"
            f" {', '.join(f'{n} {kind}' for kind, n in kinds.items())}",
            hint=_hint(kinds, fix=fix),
        )


def _hint(kinds: "Collection[str]", *, fix: bool) -> str:
    broken = {kind for kind in kinds if kind.endswith("_broken")}
    if broken == set(kinds):
        return "Write these exports and galleries again, or delete them; see who may read them."
    if fix:
        return "Somebody cleans these people just now: run it again."
    return "`celebcollect verify --fix` mends them."


def _refuse_nothing(app: "App") -> None:
    """Say that there is no collection: to be quiet about a disk that is not mounted is no help."""
    from celebcollect.stages.folder_notes import CATALOGUE

    if not app.config.mongo.uri.get_secret_value() and not (app.data_dir / CATALOGUE).exists():
        raise NothingProduced(
            f"there is no collection in {app.data_dir.absolute()}",
            hint="Is the disk mounted? --config names the configuration file of another one.",
        )


def _context(app: "App", *, fix: bool) -> "VerifyContext":
    from celebcollect.gallery.folder import is_ours
    from celebcollect.stages import folder_notes
    from celebcollect.stages.verify.context import VerifyContext

    settle = folder_notes.settle if fix else folder_notes.known
    folders = settle(app.catalogue, app.data_dir)
    return VerifyContext.of(
        app.catalogue, app.folder, app.bus, app.config.topics.clean, is_ours, folders
    )


def _print_json(verified: "Verified") -> None:
    print_json(
        {
            "checked": verified.checked,
            "resumed": verified.resumed,
            "found": len(verified.findings),
            "mended": len(verified.findings) - len(verified.unmended),
            "findings": [finding.facts() for finding in verified.findings],
        }
    )


def _print(verified: "Verified", *, quiet: bool) -> None:
    for finding in verified.findings:
        more = f" ({finding.detail})" if finding.detail else ""
        done = f": {finding.mended}" if finding.mended else ""
        told = printable(f"{finding.name}{more}{done}")
        sys.stdout.write(f"{finding.kind.value}\t{told}\n")
    if quiet and not verified.findings:
        return
    looked = ", ".join(f"{number} {what}" for what, number in verified.checked.items())
    mended = len(verified.findings) - len(verified.unmended)
    again = ", gone on where it had ended" if verified.resumed else ""
    sys.stdout.write(
        f"verify: {looked or 'nothing was there'}{again}; {len(verified.findings)} found,"
        f" {mended} mended\n"
    )


def _progress() -> "Progress":
    """Return what shows on a terminal how far it is; elsewhere it shows nothing."""
    if not sys.stderr.isatty():
        return lambda _what, _done, _total: None
    shown_at = 0.0

    def show(what: str, done: int, total: int) -> None:
        nonlocal shown_at
        if time.monotonic() - shown_at < SHOW_EVERY_S and done != total:
            return
        shown_at = time.monotonic()
        of = f" of {total:,}" if total else ""
        end = "\n" if done == total else ""
        sys.stderr.write(f"\r\x1b[Kverify: {done:,}{of} {what}{end}")
        sys.stderr.flush()

    return show
