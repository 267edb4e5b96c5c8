"""The demonstration's Wikidata: its cast as a graph, and a real SPARQL engine to ask it.

The engine is rdflib, which SPARQLWrapper brings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast as typed
from urllib.parse import quote

from rdflib import RDFS, Graph, Literal, Namespace, URIRef
from rdflib.namespace import XSD

from celebcollect.demo.cast import Player, Special
from celebcollect.demo.planted import GOOD_SHOTS, PlantedPicture

WD = Namespace("http://www.wikidata.org/entity/")
WDT = Namespace("http://www.wikidata.org/prop/direct/")
WIKIBASE = Namespace("http://wikiba.se/ontology#")
SCHEMA = Namespace("http://schema.org/")
SUBCLASSES = {"Q10800557": ("film actor", "Q33999"), "Q33999": ("actor", "Q713200")}


def graph(albums: Mapping[Player, Iterable[PlantedPicture]]) -> Graph:
    """
    Return the players as Wikidata would have them.

    The last portrait of an album is the one that it names, by a former name of the file where that
    is what makes the album hard; of the one who looks alike it names none.
    """
    facts = Graph()
    for player, pictures in albums.items():
        _add(facts, player, portrait_in(pictures))
    for occupation, (label, parent) in SUBCLASSES.items():
        facts.add((WD[occupation], RDFS.label, Literal(label, lang="en")))
        facts.add((WD[occupation], WDT.P279, WD[parent]))
    # One who must not be found: a fictional human.
    facts.add((WD.Q900001999, WDT.P31, WD.Q15632617))
    facts.add((WD.Q900001999, WDT.P106, WD.Q33999))
    facts.add((WD.Q900001999, WIKIBASE.sitelinks, Literal(150)))
    facts.add((WD.Q900001999, RDFS.label, Literal("Nobody Real", lang="en")))
    return facts


def file_name(picture: PlantedPicture) -> str:
    """Return the name of a picture on the demonstration's Commons."""
    return f"{picture.kind.capitalize()} {picture.player.number} shot {picture.shot}.jpg"


def portrait_in(album: Iterable[PlantedPicture]) -> PlantedPicture:
    """Return the portrait of an album."""
    return next(picture for picture in album if picture.shot == GOOD_SHOTS - 1)


def former_name(picture: PlantedPicture) -> str:
    """Return the name that a picture had on the demonstration's Commons before it was moved."""
    return f"DSC {picture.player.number:04d}.jpg"


def category(player: Player) -> str:
    """Return the name of a person's category on the demonstration's Commons."""
    return f"Demonstration player {player.number}"


def _add(facts: Graph, player: Player, portrait: PlantedPicture) -> None:
    item = WD[player.qid]
    facts.add((item, WDT.P31, WD.Q5))
    facts.add((item, WDT.P106, WD[player.occupation]))
    facts.add((item, WIKIBASE.sitelinks, Literal(player.sitelinks)))
    facts.add((item, RDFS.label, Literal(player.name, lang=player.language)))
    if player.language not in ("en", "mul"):
        facts.add((item, RDFS.label, Literal(player.name, lang="mul")))
    facts.add((item, SCHEMA.description, Literal("plays in the demonstration", lang="en")))
    facts.add((item, WDT.P569, Literal(f"{player.born}T00:00:00Z", datatype=XSD.dateTime)))
    facts.add((item, WDT.P4985, Literal(str(player.tmdb_id))))
    if player.special is not Special.LOOKS_ALIKE:
        renamed = player.special is Special.RENAMED
        file = quote(former_name(portrait) if renamed else file_name(portrait))
        address = f"http://commons.wikimedia.org/wiki/Special:FilePath/{file}"
        facts.add((item, WDT.P18, URIRef(address)))
    facts.add((item, WDT.P373, Literal(category(player))))


def answer(facts: Graph, query: str) -> bytes:
    """Return the answer to a query as SPARQL JSON."""
    return typed(bytes, facts.query(query).serialize(format="json"))
