"""The Wikidata source against recorded data in a real SPARQL engine.

Who is found, and what is known about them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from sources.sparql_server import SparqlServer
from sources.wikidata_world import ACTOR, AGENT, PEOPLE, SINGER, World

COMMONS = "https://commons.wikimedia.org/wiki/Special:FilePath/"


@pytest.fixture(scope="module")
def endpoint(shared_data: Path) -> Iterator[SparqlServer]:
    """An endpoint with the recorded people."""
    with SparqlServer(PEOPLE) as server:
        yield server


@pytest.fixture(scope="module")
def actors(endpoint: SparqlServer) -> World:
    """A finished search for all actors, however unknown."""
    world = World(endpoint.url)
    world.found = world.people()
    return world


def test_asks_by_post_as_ourselves_one_at_a_time(endpoint: SparqlServer) -> None:
    """Every request is a POST for JSON with our User-Agent, and never are two under way."""
    World(endpoint.url).people()

    assert {(asked.method, asked.agent) for asked in endpoint.asked} == {("POST", AGENT)}
    assert all("application/sparql-results+json" in asked.accept for asked in endpoint.asked)
    assert endpoint.busiest == 1


def test_finds_people_who_have_a_subclass_only(endpoint: SparqlServer, actors: World) -> None:
    """
    The same people come as by a property path over all subclasses.

    Most of them are no plain actors; the most famous come first.
    """
    path = (
        "PREFIX wd: <http://www.wikidata.org/entity/> PREFIX wdt:"
        " <http://www.wikidata.org/prop/direct/>"
    )
    path += " SELECT DISTINCT ?who WHERE { ?who wdt:P31 wd:Q5 ; wdt:P106/wdt:P279* wd:Q33999 }"
    rows = json.loads(endpoint.answer(path).body)["results"]["bindings"]
    everybody = {row["who"]["value"].rpartition("/")[2] for row in rows}

    # no name; a duplicate item
    assert set(actors.found) == everybody - {"Q900000003", "Q900000005"}
    assert actors.tally["people"] == len(actors.found) == 35
    assert actors.found["Q150943"].professions == ("film actor",)
    fame = [person.sitelinks for person in actors.found.values()]
    assert fame == sorted(fame, reverse=True)


def test_leaves_out_fictional_people_and_bands(endpoint: SparqlServer) -> None:
    """Sherlock Holmes (a fictional human) and The Beatles (a band with an nm id) are no people."""
    found = World(endpoint.url).people(ACTOR, SINGER, "Q753110", "Q5741069")

    assert not {"Q4653", "Q1299"} & set(found)


def test_takes_a_default_label_where_there_is_no_other(actors: World) -> None:
    """Names in language `mul` count where the chosen language has none."""
    assert actors.found["Q37079"].name == "Tom Cruise"
    assert actors.found["Q1138674"].name == "Jesse Plemons"


def test_counts_people_without_a_name(actors: World) -> None:
    """Somebody without a label in our languages is counted and not called by a QID."""
    assert "Q900000003" not in actors.found
    assert actors.tally.reasons["no_name"] == 1


def test_never_makes_a_name_of_an_alias(endpoint: SparqlServer) -> None:
    """
    Matsuo Bashō has labels in French and Japanese only.

    Without those languages there is no name.
    """
    english, japanese = World(endpoint.url), World(endpoint.url, language="ja")

    assert "Q5676" not in english.people("Q49757")
    assert english.tally.reasons["no_name"] == 1
    assert japanese.people("Q49757")["Q5676"].name == "松尾芭蕉"


def test_prefers_the_chosen_language(endpoint: SparqlServer) -> None:
    """
    Labels and descriptions come in the chosen language, then `mul`, then English.

    The other labels become aliases.
    """
    korean = World(endpoint.url, language="ko").people(SINGER)["Q20145"]
    german = World(endpoint.url, language="de").people(SINGER)["Q20145"]

    assert korean.name == "아이유"
    assert korean.description == "South Korean singer and actress"
    assert {"IU", "이지은", "Lee Ji-eun"} <= set(korean.aliases)
    assert korean.name not in korean.aliases
    assert german.description == "südkoreanische Sängerin"


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("ru", "Дуглас Адамс"),
        ("ja", "ダグラス・アダムズ"),
        ("en", "Douglas Adams"),
        ("xx", "Douglas Adams"),
    ],
)
def test_reads_names_of_every_script(endpoint: SparqlServer, language: str, name: str) -> None:
    """
    Cyrillic and Japanese names come as they are.

    A language without a label falls back to `mul`.
    """
    assert World(endpoint.url, language=language).people("Q36180")["Q42"].name == name


def test_reads_dates_before_christ(endpoint: SparqlServer) -> None:
    """Socrates was born in -469 and died in -398, which no date class holds."""
    socrates = World(endpoint.url).people("Q4964182")["Q913"]

    assert (socrates.births, socrates.deaths) == (("-0469-01-01",), ("-0398-01-01",))


def test_takes_a_year_for_its_first_day(endpoint: SparqlServer) -> None:
    """
    Joan of Arc's birth is known to the year only, which comes as January 1.

    Vasco da Gama's two years are both kept.
    """
    found = World(endpoint.url).people("Q47064", "Q11900058")

    assert found["Q7226"].births == ("1412-01-01",)
    assert found["Q7328"].births == ("1460-01-01", "1469-01-01")


def test_keeps_all_births_and_counts_the_doubt(actors: World) -> None:
    """Two birth dates (one of them only a year) are both kept, the earliest first."""
    assert actors.found["Q900000008"].births == ("1970-01-01", "1971-06-30")
    assert actors.tally["several_births"] == 1


def test_takes_an_unknown_birth_for_unknown(actors: World) -> None:
    """`Unknown value` is a blank node or a made-up IRI: no birth, and no error."""
    assert actors.found["Q900000001"].births == ()
    assert actors.found["Q900000002"].births == ()
    assert "bad_value" not in actors.tally.reasons


def test_filters_by_the_earliest_birth(endpoint: SparqlServer) -> None:
    """
    With `born_after`, people who may have been born earlier are counted and left out.

    So are people of unknown birth.
    """
    late, early = (
        World(endpoint.url, born_after=date(1970, 1, 1)),
        World(endpoint.url, born_after=date(1970, 1, 2)),
    )
    found_late, found_early = late.people(ACTOR, SINGER), early.people(ACTOR, SINGER)

    # 1970-01-01 is early enough; Emma Watson, 1990
    assert {"Q900000008", "Q39476"} <= set(found_late)
    assert "Q900000008" not in found_early
    # a genid IRI, a blank node, and no birth at all
    assert late.tally.reasons["unknown_birth"] == 3
    assert "Q40912" not in found_late  # Frank Sinatra, 1915
    assert late.tally.reasons["born_before"] + 1 == early.tally.reasons["born_before"]


def test_keeps_everybody_without_a_filter(endpoint: SparqlServer) -> None:
    """Without `born_after` people of unknown birth are people too."""
    assert {"Q900000001", "Q900000002", "Q900000004", "Q40912"} <= set(
        World(endpoint.url).people(ACTOR, SINGER)
    )


def test_merges_duplicate_items_into_the_more_famous(actors: World) -> None:
    """Two items with Brad Pitt's TMDB and IMDb id are one person: the one with more sitelinks."""
    assert "Q35332" in actors.found
    assert "Q900000005" not in actors.found
    assert actors.tally.reasons["duplicate_item"] == 1


def test_reads_ids_genders_and_countries(actors: World) -> None:
    """
    Several TMDB ids and citizenships are kept.

    What is linked comes as a label where there is one, else as QID.
    """
    odd, hanks = actors.found["Q900000006"], actors.found["Q2263"]

    assert odd.tmdb_ids == ("111", "222")
    assert odd.name == 'Trap "Quotes" & <Angle>'
    assert hanks.citizenships == ("Q30", "Q41")
    assert hanks.genders == ("Q6581097",)
    assert hanks.professions == ("film actor", "film director")
    assert (hanks.tmdb_ids, hanks.imdb_ids) == (("31",), ("nm0000158",))
    assert actors.found["Q20145"].tmdb_ids == ()  # an IMDb id alone
    assert actors.found["Q900000009"].genders == ("Q1052281",)  # an item with a second P31


def test_keeps_photographs_only(actors: World) -> None:
    """
    File names with quotes, commas, plus, hash and percent signs stay as they are.

    SVG and TIFF are dropped and counted.
    """
    assert actors.found["Q900000006"].portraits == (
        f"{COMMONS}%D0%96%20%D0%BF%D0%BE%D1%80%D1%82%D1%80%D0%B5%D1%82.png",
        f"{COMMONS}A%2BB%20%26%20%22C%22%20%231%20100%25%20%C3%A9.jpg",
    )
    assert actors.found["Q900000007"].portraits == ()
    assert actors.found["Q189489"].portraits == ()  # no picture at all
    assert actors.found["Q20145"].portraits == (
        f"{COMMONS}KBS%20%22The%20Producers%22%20press%20conference,%2011%20May%202015%2010.jpg",
    )
    assert actors.tally.reasons["not_a_photograph"] == 2


def test_puts_the_profession_first_under_which_somebody_was_found(endpoint: SparqlServer) -> None:
    """IU is an actress for those who look for actors, and a singer for others."""
    as_actor, as_singer = (
        World(endpoint.url).people(ACTOR)["Q20145"],
        World(endpoint.url).people(SINGER)["Q20145"],
    )

    assert as_actor.professions[:2] == ("actor", "film actor")
    assert as_singer.professions[0] == "singer"
    assert "Q753110" in as_actor.professions  # songwriter has no label in the data


def test_stops_at_the_limit_of_each_occupation(endpoint: SparqlServer) -> None:
    """With a limit the most famous of each occupation come, and who is both counts for both."""
    found = World(endpoint.url).people(ACTOR, SINGER, limit=3)

    # Bernhardt (actor); Dylan (singer), Swift (both) and Cruise (actor) of equal fame; Grande
    # (singer)
    assert list(found) == ["Q4605", "Q392", "Q26876", "Q37079", "Q151892"]


def test_stops_at_the_least_fame(endpoint: SparqlServer) -> None:
    """Nobody below `min_sitelinks` comes, and nobody with exactly as many is lost."""
    found = World(endpoint.url, min_sitelinks=41).people()

    assert min(person.sitelinks for person in found.values()) == 41
    assert "Q900000008" in found
