"""The source commands against recorded data, in a real SPARQL engine and a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.domain.records import Celebrity
from cli.cli_process import Run
from sources.google_web import GoogleWeb, Page
from sources.sparql_server import SparqlServer

pytestmark = pytest.mark.slow


def people_of(folder: Path) -> dict[str, Celebrity]:
    catalogue = EmbeddedCatalogue(folder / "data" / "catalogue.sqlite3")
    people = {person.qid: person for person in catalogue.people()}
    catalogue.close()
    return people


def add(folder: Path, *people: Celebrity) -> None:
    (folder / "data").mkdir(exist_ok=True)
    catalogue = EmbeddedCatalogue(folder / "data" / "catalogue.sqlite3")
    catalogue.save_people(people)
    catalogue.close()


def messages(run: Run, topic: str) -> list[dict[str, Any]]:
    return [
        json.loads(line)["value"]
        for line in run("topics", "peek", topic, "-n", "1000", "--json").stdout.splitlines()
    ]


@pytest.fixture
def sparql(shared_data: Path) -> Any:
    with SparqlServer(shared_data / "wikidata" / "people.ttl") as server:
        yield server


def test_wikidata_finds_actors_and_steps_into_no_trap(
    run: Run, tmp_path: Path, sparql: SparqlServer
) -> None:
    """Subclasses are followed; the fictional, bands, nameless and duplicates come out right."""
    done = run(
        "wikidata", "--occupation", "Q33999", "--min-sitelinks", "0", "--json",
        WIKIDATA__ENDPOINT=sparql.url, WIKIDATA__MIN_INTERVAL_S="0", WIKIDATA__BORN_AFTER="",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    people = people_of(tmp_path)
    assert people["Q39476"].name == "Emma Watson", "film actor, never called just actor"
    assert people["Q37079"].name == "Tom Cruise", "named in the language mul only"
    assert people["Q20145"].name == "IU"
    assert not people.keys() & {"Q4653", "Q1299", "Q900000003"}, "fictional, a band, nameless"
    assert "Q900000005" not in people, "a second item of Brad Pitt"
    assert people["Q900000008"].births == ("1970-01-01", "1971-06-30")
    assert people["Q900000006"].name == 'Trap "Quotes" & <Angle>'
    assert people["Q900000006"].tmdb_ids == ("111", "222")
    assert people["Q900000007"].portraits == (), "SVG and TIFF are no photographs"
    assert "Q900000001" in people, (
        "an unknown birth does not matter when nothing was said about births"
    )
    reasons = json.loads(done.stdout)["reasons"]
    assert reasons["no_name"] == 1


def test_wikidata_filters_births(run: Run, tmp_path: Path, sparql: SparqlServer) -> None:
    """Born after 1980: the older and those of unknown birth are left out and counted."""
    done = run(
        "wikidata", "--occupation", "actor", "--occupation", "Q4964182",
        "--born-after", "1980-01-01", "--json",
        WIKIDATA__ENDPOINT=sparql.url, WIKIDATA__MIN_INTERVAL_S="0",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    people = people_of(tmp_path)
    assert {"Q39476", "Q34436", "Q900000009"} <= people.keys()
    assert not people.keys() & {
        "Q37079",
        "Q913",
        "Q900000001",
        "Q900000002",
    }, "born earlier, BC, unknown (twice)"


def test_names_come_in_the_chosen_language(run: Run, tmp_path: Path, sparql: SparqlServer) -> None:
    """Korean where there is a Korean name, else mul, else English."""
    done = run(
        "wikidata",
        "--occupation",
        "Q33999",
        "--language",
        "ko",
        WIKIDATA__ENDPOINT=sparql.url,
        WIKIDATA__MIN_INTERVAL_S="0",
    )

    assert done.returncode == 0, done.stderr
    people = people_of(tmp_path)
    assert (people["Q20145"].name, people["Q37079"].name, people["Q34436"].name) == (
        "아이유",
        "Tom Cruise",
        "Scarlett Johansson",
    )


def test_nobody_who_fits_ends_with_4(run: Run, sparql: SparqlServer) -> None:
    """An answer without people is told, not passed over."""
    done = run(
        "wikidata",
        "--occupation",
        "Q999999999",
        WIKIDATA__ENDPOINT=sparql.url,
        WIKIDATA__MIN_INTERVAL_S="0",
    )

    assert done.returncode == 4
    assert done.stderr


def test_nobody_who_could_be_searched_ends_with_4(run: Run, tmp_path: Path) -> None:
    """An API that works, but not for any of those who were asked for, is no success."""
    add(
        tmp_path,
        Celebrity(
            qid="Q42",
            name="Douglas Adams",
            portraits=("https://commons.wikimedia.org/wiki/Special:FilePath/A.jpg",),
        ),
    )
    with ApiServer() as api:
        api.on("/w/api.php", Reply({"query": 7}))
        done = run("scrape-commons", "--qid", "Q42", COMMONS__API_URL=f"{api.url}/w/api.php")

    assert done.returncode == 4, done.stderr
    assert "commons_unreadable" in done.stderr


def test_tmdb_recorded_answers_become_candidates(
    run: Run, tmp_path: Path, shared_data: Path
) -> None:
    """Bruce Willis: identity proved by his Wikidata id, 32 portraits, one call for the person."""
    recorded = shared_data / "tmdb" / "tmdblib"

    def body(name: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads((recorded / name).read_text())["response"]["body"]
        return answer

    person = {
        **body("person_62_append_images.json"),
        "external_ids": body("person_62_external_ids.json"),
    }
    add(tmp_path, Celebrity(qid="Q2680", name="Bruce Willis", tmdb_ids=("62",), sitelinks=105))
    add(tmp_path, Celebrity(qid="Q42", name="Douglas Adams", tmdb_ids=("62",), sitelinks=100))
    with ApiServer() as api:
        api.on("/3/configuration", Reply(body("configuration.json")))
        api.on("/3/person/62", Reply(person))
        done = run(
            "scrape-tmdb",
            "--json",
            TMDB__BASE_URL=f"{api.url}/3",
            TMDB__TOKEN="secret-token-of-mine",
        )
        asked = [request.path for request in api.requests]
        tokens = {request.headers["authorization"] for request in api.requests}

    assert done.returncode == 0, done.stderr
    found = messages(run, "urlsFromTmdb")
    assert {message["qid"] for message in found} == {"Q2680"}, (
        "Douglas Adams is not Bruce Willis, whatever his id says"
    )
    assert len(found) == min(20, len(person["images"]["profiles"]))
    assert all(
        message["url"].startswith("https://image.tmdb.org/t/p/original/") for message in found
    )
    assert asked.count("/3/configuration") == 1
    assert tokens == {"Bearer secret-token-of-mine"}
    assert "secret-token" not in done.stdout + done.stderr


def test_a_refused_token_ends_with_3(run: Run, tmp_path: Path, shared_data: Path) -> None:
    """TMDB's own words are passed on, the token is not."""
    add(tmp_path, Celebrity(qid="Q2680", name="Bruce Willis", tmdb_ids=("62",)))
    refusal = json.loads(
        (shared_data / "tmdb" / "constructed" / "error_401_code7.json").read_text()
    )
    with ApiServer() as api:
        api.on("/3/configuration", Reply(refusal, status=401))
        api.on("/3/person/62", Reply(refusal, status=401))
        done = run("scrape-tmdb", TMDB__BASE_URL=f"{api.url}/3", TMDB__TOKEN="wrong-token")

    assert done.returncode == 3
    assert "token" in done.stderr
    assert "wrong-token" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.browser
def test_the_real_page_of_2020_gives_its_12_records(
    run: Run, tmp_path: Path, shared_data: Path, browser: None
) -> None:
    """Chromium loads the real bytes; every original comes with its page and its size."""
    add(tmp_path, Celebrity(qid="Q146", name="Cats", sitelinks=5))
    web = GoogleWeb(
        default=Page((shared_data / "google" / "gis_2020_ds1_12_records_raw.html").read_bytes())
    )
    try:
        done = run(
            "scrape-google",
            "--name",
            "cats",
            "--save-page",
            "pages",
            GOOGLE__SEARCH_URL=web.search_url,
            GOOGLE__MIN_INTERVAL_S="0",
        )
    finally:
        web.close()

    assert done.returncode == 0, done.stderr
    found = messages(run, "urls")
    assert len(found) == 12
    first = found[0]
    assert (first["width_px"], first["height_px"]) == (1200, 800)
    assert first["page_url"] == "https://www.vox.com/culture/2019/12/18/21021186/cats-review"
    assert first["page_title"].startswith("Cats review")
    assert {file.suffix for file in (tmp_path / "pages").iterdir()} >= {".html", ".png"}


@pytest.mark.browser
def test_a_captcha_ends_with_3_and_says_until_when(
    run: Run, tmp_path: Path, shared_data: Path, browser: None
) -> None:
    """The block is reported, and the next command does not even ask."""
    add(tmp_path, Celebrity(qid="Q146", name="Cats", sitelinks=5))
    web = GoogleWeb(
        default=Page((shared_data / "google" / "sorry_captcha_en.html").read_bytes(), status=429)
    )
    try:
        first = run("scrape-google", GOOGLE__SEARCH_URL=web.search_url, GOOGLE__MIN_INTERVAL_S="0")
        asked = len(web.searches)
        second = run("scrape-google", GOOGLE__SEARCH_URL=web.search_url, GOOGLE__MIN_INTERVAL_S="0")
        asked_again = len(web.searches) - asked
    finally:
        web.close()

    assert (first.returncode, second.returncode) == (3, 3)
    assert asked_again == 0
    assert messages(run, "urls") == []
    assert "captcha" in first.stderr.lower()
    for done in (first, second):
        assert "until" in done.stderr
        assert "Traceback" not in done.stderr
