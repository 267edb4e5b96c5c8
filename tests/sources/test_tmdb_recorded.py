"""The TMDB source against the 25 recorded and the constructed answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from api_server import Reply
from celebcollect.domain.errors import SourceBlocked, SourceError
from celebcollect.sources.tmdb import api, errors
from celebcollect.web.client import ApiError
from sources.tmdb_world import PICTURES, TmdbWorld, body_of, celebrity

RECORDED = {
    "auth_session_new_401": None,
    "configuration": api.Configuration,
    "find_imdb_nm0000246": api.FindResult,
    "find_imdb_tt0088247_no_person": api.FindResult,
    "person_30084_tagged_images_p1": api.PeoplePage,
    "person_31_tagged_images_p1": api.PeoplePage,
    "person_41419_tagged_images_p1": api.PeoplePage,
    "person_4347_append_images_external_ids_tagged_images": api.Person,
    "person_62": api.Person,
    "person_62_append_external_ids": api.Person,
    "person_62_append_images": api.Person,
    "person_62_append_tagged_images": api.Person,
    "person_62_external_ids": api.ExternalIds,
    "person_62_images": api.TmdbImages,
    "person_62_lang_da": api.Person,
    "person_62_tagged_images_p1": api.PeoplePage,
    "person_999999999_404": None,
    "person_changes": api.PeoplePage,
    "person_latest_sparse": api.Person,
    "person_popular_p1": api.PeoplePage,
    "search_person_Bryan_Cranston": api.PeoplePage,
    "search_person_Willis": api.PeoplePage,
    "search_person_Willis_p1": api.PeoplePage,
    "search_person_Willis_p2": api.PeoplePage,
    "trending_person_week": api.PeoplePage,
}
CONSTRUCTED = {
    "error_400_code22_page501",
    "error_401_code7",
    "error_429_code25",
    "find_unknown_id_200_empty",
    "person_ids_export_sample",
}


@pytest.fixture
def tmdb() -> Iterator[TmdbWorld]:
    """A TMDB that knows nobody."""
    with TmdbWorld() as world:
        yield world


@pytest.fixture
def recorded(shared_data: Path) -> Path:
    """The folder of recorded answers."""
    return shared_data / "tmdb" / "tmdblib"


@pytest.fixture
def constructed(shared_data: Path) -> Path:
    """The folder of answers built from the documentation."""
    return shared_data / "tmdb" / "constructed"


def test_every_file_is_used(recorded: Path, constructed: Path) -> None:
    """No answer lies there without a test that reads it."""
    assert {file.stem for file in recorded.iterdir()} == set(RECORDED)
    assert {file.stem for file in constructed.iterdir()} == CONSTRUCTED


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_answer_parses(recorded: Path, name: str) -> None:
    """
    Each recorded answer is read as what it is.

    Nothing of it is lost by our models, errors are known by their code.
    """
    content = json.loads((recorded / f"{name}.json").read_text(encoding="utf-8"))
    status, body, model = content["response"]["status"], content["response"]["body"], RECORDED[name]

    if model is None:
        assert status >= 400
        assert errors.code_of(body) == {401: 17, 404: 34}[status]
    else:
        read = model.model_validate(body)
        if isinstance(read, api.Person):
            assert (read.id, read.name, read.birthday) == (
                body["id"],
                body["name"],
                body["birthday"],
            )
            assert len(api.best_first(read)[0]) == len(body.get("images", {}).get("profiles", []))
            assert api.best_first(read)[1] == 0
        elif isinstance(read, api.FindResult):
            assert [row.id for row in read.person_results] == [
                row["id"] for row in body["person_results"]
            ]
        elif (
            isinstance(read, api.PeoplePage) and "tagged" not in name
        ):  # those rows have ids of pictures
            assert [row.id for row in read.results] == [row["id"] for row in body["results"]]


def test_bruce_willis_in_one_request(tmdb: TmdbWorld, recorded: Path) -> None:
    """
    A person with a known TMDB id takes one request.

    All 32 recorded portraits come in TMDB's order, TMDB's first one first.
    """
    body = body_of(recorded / "person_62_append_images.json") | {
        "external_ids": body_of(recorded / "person_62_append_external_ids.json")["external_ids"]
    }
    tmdb.people(body)
    tmdb.server.on("/3/configuration", Reply(body_of(recorded / "configuration.json")))
    person = celebrity("Q2680", "Bruce Willis", tmdb_ids=("62",), professions=("actor", "singer"))

    found = list(tmdb.source().candidates(person, 100))

    (request,) = [request for request in tmdb.server.requests if request.path == "/3/person/62"]
    assert request.query == {"append_to_response": "images,external_ids"}
    assert len(tmdb.server.requests) == 2
    paths = [profile["file_path"] for profile in body["images"]["profiles"]]
    paths.sort(key=lambda path: path != body["profile_path"])
    assert [candidate.url for candidate in found] == [f"{PICTURES}original{path}" for path in paths]
    assert len(found) == 32
    first = found[0]
    assert (first.qid, first.name, first.source, first.rank, first.profession) == (
        "Q2680",
        "Bruce Willis",
        "tmdb",
        0,
        "actor",
    )
    assert first.page_url == "https://www.themoviedb.org/person/62"
    assert (first.licence, first.licence_url) == (
        "TMDB API terms of use",
        "https://www.themoviedb.org/api-terms-of-use",
    )
    sizes = {
        f"{PICTURES}original{one['file_path']}": (one["width"], one["height"])
        for one in body["images"]["profiles"]
    }
    assert all(
        sizes[candidate.url] == (candidate.width_px, candidate.height_px) for candidate in found
    )


def test_frank_sinatra_with_everything_appended(tmdb: TmdbWorld, recorded: Path) -> None:
    """An answer with more parts than we asked for gives its 8 portraits."""
    tmdb.people(body_of(recorded / "person_4347_append_images_external_ids_tagged_images.json"))

    assert len(list(tmdb.source().candidates(celebrity("Q40912", tmdb_ids=("4347",)), 100))) == 8
    assert tmdb.asked() == ["/person/4347"]


def test_find_by_imdb_id(tmdb: TmdbWorld, recorded: Path, constructed: Path) -> None:
    """
    Without a TMDB id the IMDb id leads to the person in two requests.

    An unknown id, answered with empty lists, leads on to the search.
    """
    tmdb.server.on("/3/find/nm0000246", Reply(body_of(recorded / "find_imdb_nm0000246.json")))
    tmdb.server.on(
        "/3/find/nm0000999", Reply(body_of(constructed / "find_unknown_id_200_empty.json"))
    )
    tmdb.server.on(
        "/3/find/nm0088247", Reply(body_of(recorded / "find_imdb_tt0088247_no_person.json"))
    )
    tmdb.people(body_of(recorded / "person_62_append_images.json"))
    source = tmdb.source()

    assert len(list(source.candidates(celebrity(imdb_ids=("nm0000246",)), 5))) == 5
    assert tmdb.asked() == ["/find/nm0000246", "/person/62"]
    assert list(source.candidates(celebrity(imdb_ids=("nm0000999", "nm0088247")), 5)) == []
    assert tmdb.asked()[2:] == ["/find/nm0000999", "/find/nm0088247", "/search/person"]
    assert tmdb.tally.reasons == {"tmdb_not_found": 1}


def test_search_by_name(tmdb: TmdbWorld, recorded: Path) -> None:
    """Without any id the search by name is tried, and the birthday proves the person."""
    tmdb.server.on("/3/search/person", Reply(body_of(recorded / "search_person_Willis.json")))
    tmdb.people(body_of(recorded / "person_62_append_images.json"))
    person = celebrity("Q2680", "Bruce Willis", births=("1955-03-19",))

    assert len(list(tmdb.source().candidates(person, 7))) == 7
    assert tmdb.asked() == ["/search/person", "/person/62"]
    assert tmdb.server.requests[0].query == {"query": "Bruce Willis", "include_adult": "false"}


def test_popular_people(tmdb: TmdbWorld, recorded: Path) -> None:
    """The recorded first page gives its 20 people; those unknown to TMDB by now are counted."""
    page = body_of(recorded / "person_popular_p1.json")
    tmdb.server.on("/3/person/popular", Reply(page))
    for row in page["results"]:
        tmdb.server.on(
            f"/3/person/{row['id']}", Reply(body_of(recorded / "person_999999999_404.json"), 404)
        )

    assert list(tmdb.source().popular(20)) == []
    assert tmdb.tally.reasons == {
        "tmdb_gone": 20 - sum(row["adult"] for row in page["results"])
    } | ({"tmdb_adult": adult} if (adult := sum(row["adult"] for row in page["results"])) else {})


@pytest.mark.parametrize(
    ("name", "status", "kind", "words"),
    [
        ("error_401_code7", 401, SourceError, "does not accept tmdb.token"),
        ("error_400_code22_page501", 400, SourceError, "lists end at page 500"),
        ("error_429_code25", 429, SourceBlocked, "asks us to stay away|we ask too often"),
    ],
)
def test_constructed_error_is_told_in_words(
    tmdb: TmdbWorld, constructed: Path, name: str, status: int, kind: type[SourceError], words: str
) -> None:
    """The documented errors become a sentence for the user."""
    tmdb.server.on("/3/person/62", Reply(body_of(constructed / f"{name}.json"), status))

    with pytest.raises(kind, match=words):
        list(tmdb.source().candidates(celebrity(tmdb_ids=("62",)), 5))


def test_daily_export_rows_are_rows(constructed: Path) -> None:
    """The rows of TMDB's daily export have the fields that we read of a row."""
    lines = (
        (constructed / "person_ids_export_sample.jsonl").read_text(encoding="utf-8").splitlines()
    )
    rows = [api.PersonRow.model_validate_json(line) for line in lines]

    assert [(row.id, row.name, row.adult) for row in rows] == [
        (62, "Bruce Willis", False),
        (287, "Brad Pitt", False),
        (1234567, "Trap Adult", True),
    ]


def test_recorded_refusals_are_told_in_words(recorded: Path) -> None:
    """The recorded 401 asks for the token, the recorded 404 is no fault of TMDB."""
    refused = ApiError("x", status=401, body=body_of(recorded / "auth_session_new_401.json"))
    gone = ApiError("x", status=404, body=body_of(recorded / "person_999999999_404.json"))

    assert "tmdb.token" in errors.in_words(refused).message
    assert errors.fault_of(gone) == "gone"
