"""Train: what the topic holds becomes a model, a report and a commit."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from celebcollect.domain.clean_record import CleanRecord
from celebcollect.domain.errors import Busy, Interrupted, NothingProduced, UsageError
from celebcollect.domain.terms import MlUse
from celebcollect.stages.train import Shelf, forget
from celebcollect.stages.train.shelf import CHARTS, LOCK, REPORT
from training import TOPIC, School, point, record


@pytest.fixture
def school(tmp_path: Path) -> School:
    """An empty data folder."""
    return School(tmp_path)


def test_unseen_faces_are_recognised_and_strangers_are_not(school: School) -> None:
    """The saved model names whom it knows, and calls everybody else unknown."""
    school.people(1, 2, 30)

    school.train()

    model = Shelf(school.folder).load()
    guesses = model.guess(np.stack([point(2, 99), point(30, 99), point(77, 0)]))
    assert [model.people[person].qid for person in guesses.people[:2]] == ["Q2", "Q30"]
    assert guesses.known.tolist() == [True, True, False]


def test_the_same_set_gives_the_same_files(tmp_path: Path) -> None:
    """
    Model, report and pictures are the same to the byte.

    The order of the messages and the time make no difference.
    """
    one, other = School(tmp_path / "one"), School(tmp_path / "other")
    records = [record(person, shot) for person in (1, 2, 3) for shot in range(12)]
    one.publish(*records)
    other.publish(*reversed(records))

    one.train()
    other.train()
    again = {file.name: file.read_bytes() for file in one.file().parent.iterdir()}
    one.train()

    assert again.keys() >= {"model.safetensors", "report.json", *CHARTS}
    assert {file.name: file.read_bytes() for file in one.file().parent.iterdir()} == again
    assert {file.name: file.read_bytes() for file in other.file().parent.iterdir()} == again


def test_what_was_withdrawn_is_gone_from_the_next_model(school: School) -> None:
    """
    A tombstone counts although the picture was consumed before.

    A newer message replaces the older.
    """
    school.people(1, 2, 3)
    first = school.train()
    school.bus.publish(TOPIC, [(record(3, shot).key, None) for shot in range(10)])
    school.publish(record(1, 0, point(1, 50)))

    second = school.train()

    assert [person.qid for person in second.model.people] == ["Q1", "Q2"]
    assert len(second.model.vectors) == 20
    assert point(1, 50) in second.model.vectors
    assert second.model.fingerprint != first.model.fingerprint


def test_what_a_model_was_made_of_is_committed_once_it_is_there(school: School) -> None:
    """A training that fails commits nothing."""
    school.people(1)
    with pytest.raises(NothingProduced):
        school.train()
    waiting = school.lag()
    school.people(2)

    school.train()

    assert waiting == 10
    assert school.lag() == 0


def test_messages_that_nobody_understands_are_counted_and_kept_aside_once(school: School) -> None:
    """They go to the dead topic, and a second training does not send them again."""
    school.people(1, 2)
    school.bus.publish(TOPIC, [("Q9/x", b"{broken"), (record(5, 0).key, record(6, 0).to_json())])

    school.train()
    first = school.tally.reasons
    school.train()

    assert first["undecodable"] == 2
    assert school.tally.reasons["undecodable"] == 2
    assert len(list(school.bus.read(f"{TOPIC}.dead"))) == 2
    assert school.lag() == 0


def test_pictures_that_may_not_be_used_are_left_out_and_counted(school: School) -> None:
    """
    Terms that need an agreement count whatever the message says.

    That ends when the user says that there is one.
    """
    school.people(1, 2)
    told = [record(3, shot, source="tmdb", ml_use=MlUse.NEEDS_AGREEMENT) for shot in range(3)]
    hidden = [record(4, shot, url=f"https://image.tmdb.org/t/p/{shot}.jpg") for shot in range(3)]
    school.publish(*told, *hidden)

    without = school.train()
    reasons = school.tally.reasons
    permitted = school.train(ml_use_permitted=["tmdb"])

    assert [person.qid for person in without.model.people] == ["Q1", "Q2"]
    assert reasons == {"needs_agreement": 6}
    assert without.people_left_out == 2
    assert [person.qid for person in permitted.model.people] == ["Q1", "Q2", "Q3", "Q4"]


def test_pictures_without_a_usable_embedding_are_left_out_and_counted(school: School) -> None:
    """
    Missing, unreadable, no numbers, of another version, of another length.

    And people who have one picture only.
    """
    school.people(1, 2)
    school.publish(
        record(1, 100, embedding=None),
        record(1, 101, embedding="*"),
        record(1, 102, embedding=""),
        record(1, 103, np.full(128, np.nan, dtype=np.float32)),
        record(1, 104, embedding_version="another"),
        record(1, 105, np.zeros(64, dtype=np.float32)),
        record(8, 0),
    )

    trained = school.train()

    assert len(trained.model.vectors) == 20
    assert school.tally.reasons == {
        "no_embedding": 2,
        "broken_embedding": 2,
        "other_embedding": 2,
        "too_few_pictures": 1,
    }
    assert trained.people_left_out == 1


@pytest.mark.parametrize(
    "records",
    [[], [record(1, shot) for shot in range(5)], [record(person, 0) for person in range(1, 9)]],
)
def test_too_small_a_set_is_refused(school: School, records: list[CleanRecord]) -> None:
    """Nobody, one person, or many people with one picture each: exit code 4, and no file."""
    school.publish(*records)

    with pytest.raises(NothingProduced, match="2 people with 2 usable pictures"):
        school.train()

    assert not school.file().exists()


def test_a_set_without_embeddings_says_what_to_install(school: School) -> None:
    """Whoever cleaned without the extra is told its name."""
    school.publish(
        *(
            record(person, shot, embedding=None, embedding_version=None)
            for person in (1, 2)
            for shot in range(3)
        )
    )

    with pytest.raises(NothingProduced) as caught:
        school.train()

    assert "celebcollect[faces]" in caught.value.hint


def test_two_pictures_of_two_people_are_enough(school: School) -> None:
    """Where nothing can be kept apart, nothing is claimed to be measured."""
    school.people(1, 2, shots=2)

    trained = school.train()

    report = json.loads((school.file().parent / "report.json").read_text())
    assert len(trained.model.people) == 2
    assert report["pictures"] == 4
    assert report["evaluation"]["held_out"] in (0, 1, 2)


def test_an_interruption_writes_and_commits_nothing(school: School) -> None:
    """The next training does it all."""
    school.people(1, 2)
    stop = threading.Event()
    stop.set()

    with pytest.raises(Interrupted):
        school.train(stop=stop)

    assert not school.file().exists()
    assert school.lag() == 20


def test_two_trainings_of_one_model_exclude_each_other(school: School) -> None:
    """The second one is told, whatever it would have written."""
    school.people(1, 2)

    with Shelf(school.folder).alone(), pytest.raises(Busy):
        school.train()


@pytest.mark.parametrize("name", ["../x", "", "A", "a/b", ".hidden", "x" * 61])
def test_a_model_name_is_no_path(tmp_path: Path, name: str) -> None:
    """Nothing outside of data_dir/models can be named."""
    with pytest.raises(UsageError):
        Shelf(tmp_path, name)


def test_a_forgotten_person_takes_the_models_along(school: School) -> None:
    """Nothing that names the person stays; models without the person do."""
    school.people(1, 2)
    school.train("old")
    school.bus.publish(TOPIC, [(record(1, shot).key, None) for shot in range(10)])
    school.people(12)
    school.train("new")

    removed = forget(school.folder, "Q1", wait_s=0)

    assert removed == 1
    assert {file.name for file in school.file("old").parent.iterdir()} <= {LOCK}
    assert Shelf(school.folder, "new").load().people


def test_a_training_that_died_while_it_saved_is_found(school: School) -> None:
    """Pictures of the report are there no earlier than the report that tells whom they show."""
    school.people(1, 2)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("celebcollect.disk.files.sync_folder", lambda folder: None)
        replaced: list[str] = []
        replace = Path.replace

        def noted(part: Path, file: Path) -> Path:
            replaced.append(file.name)
            return replace(part, file)

        patch.setattr(Path, "replace", noted)
        school.train()

    assert replaced == [REPORT, *CHARTS, school.file().name]
    school.file().unlink()
    assert forget(school.folder, "Q1", wait_s=0) == 1
    assert {file.name for file in school.file().parent.iterdir()} <= {LOCK}


def test_a_training_under_way_is_waited_for(school: School) -> None:
    """
    It may have read the pictures before they were withdrawn.

    It would write a model with the person in the end.
    """
    school.people(1, 2)
    school.train()

    with Shelf(school.folder).alone(), pytest.raises(Busy, match="trains the model"):
        forget(school.folder, "Q1", wait_s=0)
    assert forget(school.folder, "Q1", wait_s=0) == 1


def test_the_forgotten_do_not_come_back_by_the_topic(school: School) -> None:
    """
    No model learns pictures that are published again, and it is told.

    Somebody published them, or delivered dead letters again.
    """
    school.people(1, 2, 3)

    trained = school.train(forgotten={"Q1"}.intersection)

    assert [person.qid for person in trained.model.people] == ["Q2", "Q3"]
    assert trained.left_out == {"forgotten": 10}


def test_numbers_beyond_all_faces_do_no_harm(school: School) -> None:
    """Anybody may publish embeddings: the largest numbers that there are fall into the last bin."""
    school.people(1, 2)
    school.publish(
        *(
            record(3, shot, np.full(128, 3e38 * (-1) ** shot, dtype=np.float32))
            for shot in range(10)
        )
    )

    measured = school.train().evaluation

    assert measured.stranger_distances[-1] > 0


def test_nothing_is_learnt_from_pictures_whose_file_is_gone(school: School) -> None:
    """Somebody deleted or cut them; where there are no files at all, they are kept elsewhere."""
    school.people(1, 2, shots=6)
    everywhere = len(school.train().model.vectors)
    for message in school.bus.read(TOPIC):
        told = CleanRecord.model_validate_json(message.value or b"")
        file = school.folder / told.path
        file.parent.mkdir(parents=True, exist_ok=True)
        if told.sha256 != record(1, 0).sha256:
            file.write_bytes(b"x" * (1000 if told.sha256 != record(2, 3).sha256 else 999))

    trained = school.train()

    assert everywhere == 12
    assert len(trained.model.vectors) == 10
    assert school.tally.reasons == {"file_missing": 2}
