"""Find out in which form an endpoint holds Wikidata: the query service's, or the dump's."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from celebcollect.sources.wikidata import queries
from celebcollect.sources.wikidata.endpoint import Endpoint
from celebcollect.sources.wikidata.progress import Fresh
from celebcollect.sources.wikidata.queries import Dialect

log = logging.getLogger(__name__)

DIALECT_VALID_FOR = timedelta(days=7)
"""Wikidata is about to change its engine, so what was found out is not kept for long."""


def find_dialect(endpoint: Endpoint, fresh: Fresh, wanted: Sequence[str]) -> Dialect:
    """Return how the endpoint lays out sitelinks, remembered or asked for."""
    known = fresh.get("dialect", DIALECT_VALID_FOR)
    if known is None:
        # Every item has a number of sitelinks, so famous ones tell it fastest; an endpoint with
        # a part of Wikidata may lack them.
        rows = endpoint.select_stubbornly(
            queries.probe(["Q5", "Q42", *wanted])
        ) or endpoint.select_stubbornly(queries.probe_anybody())
        forms = {row["form"].value for row in rows if "form" in row}
        known = [dialect for dialect in ("wdqs", "qlever") if dialect in forms]
        if known:
            fresh.put("dialect", known)
        else:
            log.warning(
                "no human with sitelinks endpoint=%s: it does not look like Wikidata",
                endpoint.shown,
            )
    return "qlever" if known[:1] == ["qlever"] else "wdqs"
