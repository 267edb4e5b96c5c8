"""What the rest of the program knows of Google Images. Imports nothing heavy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from celebcollect.domain.terms import Trust
from celebcollect.sources.spec import SourceOption, SourceSpec

if TYPE_CHECKING:
    from celebcollect.sources.base import SourceContext
    from celebcollect.sources.google.reasons import GoogleReason
    from celebcollect.sources.google.settings import GoogleConfig
    from celebcollect.sources.google.source import Google


def _settings() -> type[GoogleConfig]:
    from celebcollect.sources.google.settings import GoogleConfig

    return GoogleConfig


def _reasons() -> type[GoogleReason]:
    from celebcollect.sources.google.reasons import GoogleReason

    return GoogleReason


def _build(context: SourceContext[GoogleConfig]) -> Google:
    from celebcollect.sources.google.source import Google

    return Google(
        context.settings,
        topic=context.topic,
        data_dir=context.data_dir,
        tally=context.tally,
        notes=context.notes,
        save_page=context.options.get("save_page"),
        wait=context.wait,
    )


def _unusable(settings: GoogleConfig) -> str | None:
    from celebcollect.sources.google.programs import missing_browser

    return missing_browser(settings)


def _probe(context: SourceContext[GoogleConfig]) -> str:
    from celebcollect.sources.google.programs import find_programs
    from celebcollect.web.urls import shown_url

    google = _build(context)
    try:
        google.probe()
    finally:
        google.close()
    if context.settings.remote_url:
        return f"a browser at {shown_url(context.settings.remote_url)} starts"
    programs = find_programs(context.settings)
    return (
        f"{programs.browser or 'a browser'} starts, with"
        f" {programs.driver or 'the driver that Selenium finds'}"
    )


def _per_search(settings: GoogleConfig) -> int:
    return settings.images_per_celebrity


def _forget(data_dir: Path, qid: str) -> int:
    from celebcollect.sources.google.cache import forget

    return forget(data_dir, qid)


SPEC = SourceSpec(
    name="google",
    title="Google Images",
    topic="urls",
    order=10,
    settings=_settings,
    build=_build,
    summary=(
        "Search people who need pictures in Google Images with a real browser and put the picture"
        " URLs on topic urls."
    ),
    example='--name "Douglas Adams" --save-page pages',
    options=(
        SourceOption(
            "--save-page", Path, "DIR", "Keep the HTML and a screenshot of every page here."
        ),
    ),
    reasons=_reasons,
    trust=Trust(),
    unusable=_unusable,
    hint="Without one Google Images is left out. Debian: apt install chromium chromium-driver",
    probe=_probe,
    probe_name="browser",
    per_search=_per_search,
    forget=_forget,
)
