"""Wikidata: the source of people."""

from celebcollect.sources.wikidata.people import Wikidata

__all__ = ["Wikidata"]
