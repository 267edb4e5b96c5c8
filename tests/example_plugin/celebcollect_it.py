"""A source and a check for celebcollect in one module: copy it to begin with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from celebcollect.checks.base import CheckSettings, CheckSpec, Picture, Rejection
from celebcollect.config.fields import HttpUrl, Section
from celebcollect.domain.reasons import Reason
from celebcollect.domain.records import SCHEMA, Celebrity, ImageCandidate, now
from celebcollect.domain.terms import MlUse, Terms, Trust
from celebcollect.sources.base import SourceContext
from celebcollect.sources.spec import SourceSpec
from celebcollect.web.client import ApiClient, RequestPolicy


class ItReason(Reason):
    """Why It gives nothing of a person."""

    NOBODY = "it_nobody", "sources", "It knows nobody of this Wikidata item."


class ItSettings(Section):
    """`[it]`: where It is asked."""

    api_url: HttpUrl = "https://it.example/people"
    """Answers with a list of picture URLs below the QID of a person."""


class It:
    """The source `it`: one request per person."""

    name = "it"

    def __init__(self, context: SourceContext[ItSettings]) -> None:
        self.topic = context.topic
        self._url = context.settings.api_url
        self._tally = context.tally
        self._api = ApiClient(context.http, RequestPolicy(rate_per_s=10), wait=context.wait)

    def candidates(self, person: Celebrity, limit: int) -> Iterator[ImageCandidate]:
        """Yield the pictures of a person as It lists them."""
        found = self._api.get_json(f"{self._url}/{person.qid}", {})
        urls = [url for url in found if isinstance(url, str)] if isinstance(found, list) else []
        if not urls:
            self._tally.drop(ItReason.NOBODY)
        for rank, url in enumerate(urls[:limit]):
            yield ImageCandidate(
                schema_version=SCHEMA,
                qid=person.qid,
                name=person.name,
                url=url,
                source=self.name,
                rank=rank,
                found_at=now(),
            )

    def close(self) -> None:
        """Close the connections."""
        self._api.close()


def _probe(context: SourceContext[ItSettings]) -> str:
    return f"would be asked at {context.settings.api_url}"


SOURCE = SourceSpec(
    name="it",
    title="It",
    topic="urlsFromIt",
    settings=lambda: ItSettings,
    build=It,
    summary="Look up people who need pictures on It and put the picture URLs on topic urlsFromIt.",
    example="--limit 10",
    reasons=lambda: ItReason,
    trust=Trust(documented=1),
    terms=Terms(
        name="It's terms",
        ml_use=MlUse.NEEDS_AGREEMENT,
        keep_days=90,
        attribution="Pictures by way of It, which endorses nothing.",
        hosts=("it.example",),
    ),
    probe=_probe,
)


class UprightReason(Reason):
    """Why the check rejects."""

    UPRIGHT = "upright_picture", "clean", "The picture is higher than wide, which nobody likes."


class Upright:
    """Rejects `upright_picture`."""

    name = "upright"

    def fingerprint(self) -> str:
        """Return the version of the rule."""
        return "1"

    def reject(self, pictures: Sequence[Picture]) -> Iterator[Rejection]:
        """Yield the pictures that are higher than wide."""
        for picture in pictures:
            image = picture.image
            if (image.height_px or 0) > (image.width_px or 0):
                yield Rejection(image.id, UprightReason.UPRIGHT)


def _build(_settings: CheckSettings) -> Upright:
    return Upright()


CHECK = CheckSpec(name="upright", order=25, build=_build, reasons=(UprightReason,))
