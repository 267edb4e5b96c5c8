"""The questions to Wikidata, in SPARQL 1.1.

Blazegraph, QLever and any standard engine answer them alike.

What keeps them cheap: subclasses are given as values instead of a property path, few variables come
out, nothing is sorted or paged, facts come as one row each (no cross products), and labels are read
as labels (there is no label service but Wikidata's own). Only QIDs, numbers, language codes and
quoted text enter a query, all checked by the caller.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Literal

from celebcollect.sources.wikidata.bands import Band, Born

Dialect = Literal["wdqs", "qlever"]

WD = "http://www.wikidata.org/entity/"
WDT = "http://www.wikidata.org/prop/direct/"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
ALIAS = "http://www.w3.org/2004/02/skos/core#altLabel"
ABOUT = "http://schema.org/description"

_PREFIXES = f"""\
PREFIX wd: <{WD}>
PREFIX wdt: <{WDT}>
PREFIX wikibase: <http://wikiba.se/ontology#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX schema: <http://schema.org/>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
"""

_FAME = {"wdqs": "wikibase:sitelinks", "qlever": "^schema:about/wikibase:sitelinks"}
"""Where the number of sitelinks is: on the item (Wikidata's service moves it there), or on the page
about the item (dumps, QLever)."""


def probe(items: Sequence[str]) -> str:
    """Ask where the endpoint keeps the sitelinks of these items: `?form`."""
    branches = " UNION ".join(
        f'{{ {_values("item", items)} ?item {path} ?n . BIND("{form}" AS ?form) }}'
        for form, path in _FAME.items()
    )
    return f"{_PREFIXES}SELECT DISTINCT ?form WHERE {{ {branches} }}"


def probe_anybody() -> str:
    """Ask the same of any human, for an endpoint that holds only a part of Wikidata: `?form`."""
    branches = " UNION ".join(
        f'{{ SELECT ?form WHERE {{ ?item wdt:P31 wd:Q5 ; {path} ?n . BIND("{form}" AS ?form) }}'
        " LIMIT 1 }"
        for form, path in _FAME.items()
    )
    return f"{_PREFIXES}SELECT DISTINCT ?form WHERE {{ {branches} }}"


def subclasses(occupation: str) -> str:
    """Ask for an occupation's subclasses at every depth, itself included: `?class`."""
    return f"{_PREFIXES}SELECT DISTINCT ?class WHERE {{ ?class wdt:P279* wd:{occupation} }}"


def called(texts: Iterable[str], languages: Sequence[str], *, occupations_only: bool) -> str:
    """
    Ask which items have one of these labels: `?item ?about`.

    They are somebody's occupation or else at least a class.
    """
    labels = " ".join(
        f"{json.dumps(text, ensure_ascii=False)}@{language}"
        for text in texts
        for language in languages
    )
    kind = (
        "FILTER EXISTS { ?somebody wdt:P106 ?item }"
        if occupations_only
        else "?item wdt:P279 ?wider ."
    )
    return f"""{_PREFIXES}SELECT DISTINCT ?item ?about WHERE {{
  VALUES ?label {{ {labels} }}
  ?item rdfs:label ?label .
  {kind}
  OPTIONAL {{ ?item schema:description ?about . FILTER(LANG(?about) IN ({_languages(languages)})) }}
}}"""


def seed(dialect: Dialect, classes: Sequence[str], band: Band, *, births: bool) -> str:
    """
    Ask for the humans of these occupations in a band of fame.

    `?person ?sitelinks`, with `births` also `?birth`.

    A person of several births comes in as many rows.
    """
    limits = [f"?sitelinks >= {band.low}"] + (
        [] if band.high is None else [f"?sitelinks < {band.high}"]
    )
    lines = [
        _values("class", classes),
        f"?person wdt:P106 ?class ; wdt:P31 wd:Q5 ; {_FAME[dialect]} ?sitelinks .",
        f"FILTER({' && '.join(limits)})",
        *([_born(band.born)] if band.born else []),
        *(["OPTIONAL { ?person wdt:P569 ?birth }"] if births else []),
    ]
    return (
        f"{_PREFIXES}SELECT DISTINCT ?person ?sitelinks{' ?birth' if births else ''} WHERE {{\n  "
        + "\n  ".join(lines)
        + "\n}"
    )


def details(people: Sequence[str], languages: Sequence[str]) -> str:
    """
    Ask for everything we keep of these people: `?item ?property ?value`.

    The labels of what they are linked to come with it.

    The labels of occupations, genders and countries come once each, as rows of their own.
    """
    spoken = _languages(languages)
    return f"""{_PREFIXES}SELECT DISTINCT ?item ?property ?value WHERE {{
  {{
    {_values("item", people)}
    VALUES ?property {{
      wdt:P21 wdt:P27 wdt:P106 wdt:P18 wdt:P345 wdt:P373 wdt:P4985 wdt:P569 wdt:P570
    }}
    ?item ?property ?value .
  }} UNION {{
    {_values("item", people)}
    VALUES ?property {{ rdfs:label skos:altLabel schema:description }}
    ?item ?property ?value .
    FILTER(LANG(?value) IN ({spoken}))
  }} UNION {{
    {_values("person", people)}
    VALUES ?link {{ wdt:P21 wdt:P27 wdt:P106 }}
    ?person ?link ?item .
    ?item rdfs:label ?value .
    FILTER(LANG(?value) IN ({spoken}))
    BIND(rdfs:label AS ?property)
  }}
}}"""


def merged(items: Sequence[str]) -> str:
    """
    Ask which of these items were merged into another one: `?item ?into`.

    A redirect is `owl:sameAs` (mediawiki.org, Wikibase/Indexing/RDF_Dump_Format, 2026).
    """
    return f"""{_PREFIXES}PREFIX owl: <http://www.w3.org/2002/07/owl#>
SELECT DISTINCT ?item ?into WHERE {{ {_values("item", items)} ?item owl:sameAs ?into }}"""


def _born(born: Born) -> str:
    if born.first is None and born.end is None:
        # Missing dates, unknown ones (blank nodes and genid IRIs) and such as cannot be compared:
        # none of them is before or after any day.
        never = _day(2000)
        return (
            f"FILTER NOT EXISTS {{ ?person wdt:P569 ?dated . FILTER(?dated < {never} || ?dated >="
            f" {never}) }}"
        )
    limits = ([] if born.first is None else [f"?born >= {_day(born.first)}"]) + (
        [] if born.end is None else [f"?born < {_day(born.end)}"]
    )
    return f"?person wdt:P569 ?born . FILTER({' && '.join(limits)})"


def _day(year: int) -> str:
    return f'"{year:04d}-01-01T00:00:00Z"^^xsd:dateTime'


def _values(variable: str, qids: Iterable[str]) -> str:
    return f"VALUES ?{variable} {{ {' '.join(f'wd:{qid}' for qid in qids)} }}"


def _languages(languages: Iterable[str]) -> str:
    return ", ".join(f'"{language}"' for language in languages)
