"""The model and its file.

What it answers, what it refuses to read, and that nothing is executed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from celebcollect.domain.errors import UsageError
from celebcollect.stages.train import Shelf
from celebcollect.stages.train.model import FaceSample, Model, StrangerRule, fit
from celebcollect.stages.train.model_file import KEY, pack, read
from celebcollect.stages.train.rule import with_fair_rule
from celebcollect.vision.numbers import DLIB, UNTESTED, YUNET_SFACE, EngineNumbers
from training import School, point


def samples(*people: int, shots: int = 4) -> list[FaceSample]:
    return [
        FaceSample(
            f"Q{person}", f"Person {person}", f"{person:032x}{shot:032x}", point(person, shot)
        )
        for person in people
        for shot in range(shots)
    ]


def model(*people: int) -> Model:
    return fit(samples(*people), threshold=0.55, embedding_version="v")


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    """People with names of every script, numbers and versions."""
    some = [replace(sample, name='見本 "花子" <b>') for sample in samples(1, 2)]
    written = fit(some, threshold=0.43, embedding_version="1 a b")
    (tmp_path / "m").write_bytes(pack(written))

    found = read(tmp_path / "m")

    assert (found.people, found.threshold, found.embedding_version) == (
        written.people,
        0.43,
        "1 a b",
    )
    assert np.array_equal(found.vectors, written.vectors)
    assert pack(found) == pack(written)


@pytest.mark.slow
def test_the_nearest_mean_decides_and_the_nearest_photograph_rejects() -> None:
    """As scikit-learn's NearestCentroid says, behind the gate."""
    neighbours = pytest.importorskip("sklearn.neighbors")
    some = samples(*range(1, 9))
    faces = np.stack(
        [
            point(person, 50) + np.random.default_rng(person).normal(scale=0.08, size=128)
            for person in range(1, 15)
        ]
    ).astype(np.float32)
    reference = neighbours.NearestCentroid().fit(
        np.stack([sample.vector for sample in some]), [sample.qid for sample in some]
    )
    trained = fit(some, threshold=1.0, embedding_version="v")

    guesses = trained.guess(faces)

    assert [trained.people[person].qid for person in guesses.people] == reference.predict(
        faces
    ).tolist()
    nearest = [
        min(
            np.linalg.norm(face - sample.vector)
            for sample in some
            if sample.qid == trained.people[person].qid
        )
        for face, person in zip(faces, guesses.people, strict=True)
    ]
    assert np.allclose(guesses.distances, nearest, atol=1e-5)
    assert guesses.known.tolist() == [distance <= 1.0 for distance in nearest]
    assert {True, False} == set(guesses.known.tolist())


def test_a_person_can_be_made_a_stranger() -> None:
    """What is pretended not to be known is never the answer."""
    trained = model(1, 2, 3)

    guesses = trained.guess(np.stack([point(1, 60), point(1, 60)]), but=[0, -1])

    assert guesses.people[0] != 0
    assert guesses.people[1] == 0
    assert guesses.known.tolist() == [False, True]


def test_a_model_of_version_01_answers_as_it_did(tmp_path: Path) -> None:
    """Its file says nothing of a rule: the nearest photograph decides, at its own threshold."""
    some = samples(1, 2)
    about = {
        "kind": "nearest mean with rejection",
        "version": 1,
        "people": [{"qid": f"Q{n}", "name": f"Person {n}", "pictures": 4} for n in (1, 2)],
        "threshold": 0.31,
        "embedding_version": "v",
        "fingerprint": "f",
    }
    vectors = np.stack([sample.vector for sample in some])
    (tmp_path / "m").write_bytes(save({"vectors": vectors}, {KEY: json.dumps(about)}))

    found = read(tmp_path / "m")
    faces = np.stack([point(1, 60), (point(1, 60) * 1.3).astype(np.float32), point(9, 1)])
    guesses = found.guess(faces)

    nearest = np.linalg.norm(faces[:, None] - vectors[None], axis=2)
    own = [
        nearest[row, person * 4 : person * 4 + 4].min() for row, person in enumerate(guesses.people)
    ]
    assert found.rule is StrangerRule.PHOTOGRAPH
    assert np.allclose(guesses.scores, own, atol=1e-5)
    assert guesses.known.tolist() == [far <= 0.31 for far in own]


@pytest.mark.parametrize("numbers", [DLIB, YUNET_SFACE])
def test_the_rule_for_strangers_is_in_the_file(tmp_path: Path, numbers: EngineNumbers) -> None:
    """With all that it needs: neighbours and the mean faces of nobody in particular."""
    written = with_fair_rule(model(*range(1, 25)), numbers, 0.01)
    (tmp_path / "m").write_bytes(pack(written))

    found = read(tmp_path / "m")

    faces = np.stack([point(person, 50) for person in range(1, 40)])
    assert (found.rule, found.threshold, found.neighbours) == (
        StrangerRule.CROWD,
        written.threshold,
        numbers.strangers.neighbours,
    )
    assert np.array_equal(found.guess(faces).scores, written.guess(faces).scores)
    assert found.guess(faces).known.tolist() == [True] * 24 + [False] * 15
    assert pack(found) == pack(written)


def test_few_people_are_told_by_the_engines_own_limit() -> None:
    """Below 20 people the crowd is not asked, unless the engine has one of its own."""
    few, many = model(*range(1, 20)), model(*range(1, 21))

    assert with_fair_rule(few, YUNET_SFACE, 0.01).rule is StrangerRule.MEAN
    assert with_fair_rule(few, YUNET_SFACE, 0.01).threshold == 0.93
    assert with_fair_rule(few, DLIB, 0.01).rule is StrangerRule.CROWD
    assert with_fair_rule(few, DLIB, 0.01).threshold == DLIB.strangers.crowd
    assert with_fair_rule(many, YUNET_SFACE, 0.01).rule is StrangerRule.CROWD


def test_more_strangers_asked_for_means_a_larger_limit() -> None:
    """And nobody but the known people chooses it once more is asked than was measured."""
    known = model(*range(1, 31))

    limits = [with_fair_rule(known, UNTESTED, rate).threshold for rate in (0.01, 0.1, 0.4)]

    assert limits == sorted(set(limits))


ABOUT = json.dumps(
    {
        "version": 1,
        "people": [{"qid": "Q1", "name": "a", "pictures": 2}],
        "threshold": 0.5,
        "embedding_version": "v",
        "fingerprint": "f",
    }
)
VECTORS = np.zeros((2, 128), dtype=np.float32)


def file_with(about: str, vectors: np.ndarray = VECTORS, key: str = KEY) -> bytes:
    return save({"vectors": vectors}, {key: about})


def about(**changed: object) -> str:
    return json.dumps({**json.loads(ABOUT), **changed})


def header(value: object) -> bytes:
    told = json.dumps(value).encode()
    return len(told).to_bytes(8, "little") + told + b"\0" * 64


def broken() -> dict[str, bytes]:
    good = file_with(ABOUT)
    return {
        "empty": b"",
        "cut": good[:-1],
        "short": good[:5],
        "pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
        "length": (2**63).to_bytes(8, "little") + good[8:],
        "nested": (200_000).to_bytes(8, "little") + b"[" * 200_000,
        "other kind": file_with(about(kind="x")),
        "other version": file_with(about(version=3)),
        "no rule": file_with(about(version=2)),
        "unknown rule": file_with(about(version=2, rule="x")),
        "crowd without neighbours": file_with(about(version=2, rule="crowd")),
        "crowd of another length": save(
            {"vectors": VECTORS, "crowd": VECTORS[:, :64].copy()},
            {KEY: about(version=2, rule="crowd", neighbours=5)},
        ),
        "other program": file_with(ABOUT, key="x"),
        "no text": save({"vectors": VECTORS}),
        "no people": file_with(about(people=None)),
        "people": file_with(about(people=[{"qid": "../x", "name": "a", "pictures": 2}])),
        "count": file_with(about(people=[{"qid": "Q1", "name": "a", "pictures": 3}])),
        "threshold": file_with(about(threshold=float("nan"))),
        "no number": file_with(about(threshold="x")),
        "no JSON": file_with("{"),
        "infinite": file_with(ABOUT, np.full((2, 128), np.inf, dtype=np.float32)),
        "double": file_with(ABOUT, np.zeros((2, 128))),
        "nobody": file_with(about(people=[]), np.zeros((0, 128), dtype=np.float32)),
        "no vectors": save({"labels": VECTORS}, {KEY: ABOUT}),
        "one axis": file_with(ABOUT, VECTORS.ravel()),
        "offsets": header({"vectors": {"dtype": "F32", "shape": [2, 2], "data_offsets": [-16, 0]}}),
        "type": header({"vectors": {"dtype": "O", "shape": [1], "data_offsets": [0, 8]}}),
        "shape": header(
            {"vectors": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 8]}}
        ),
        "texts": header({"__metadata__": {"kind": 1}}),
        "list": header([1]),
    }


@pytest.mark.parametrize("kind", list(broken()))
def test_a_broken_file_is_refused_with_what_to_do(tmp_path: Path, kind: str) -> None:
    """Whatever stands in the model's place, it is told and not believed."""
    shelf = Shelf(tmp_path)
    shelf.folder.mkdir(parents=True)
    shelf.model.write_bytes(broken()[kind])

    with pytest.raises(UsageError, match="is no model of this program") as caught:
        shelf.load()

    assert "celebcollect train" in caught.value.hint


def test_no_model_is_told(tmp_path: Path) -> None:
    """With the command that makes one."""
    with pytest.raises(UsageError, match="there is no model") as caught:
        Shelf(tmp_path).load()

    assert "celebcollect train" in caught.value.hint


@pytest.mark.slow
def test_a_model_is_loaded_where_unpickling_is_forbidden(tmp_path: Path) -> None:
    """In a process in which nothing may be unpickled, the model is read and answers."""
    school = School(tmp_path)
    school.people(1, 2)
    school.train()
    np.save(tmp_path / "face.npy", point(2, 70))
    script = f"""
import sys, pickle, _pickle
sys.path[:0] = {sys.path!r}
import numpy as np
from pathlib import Path
from celebcollect.stages.train import Shelf
face = np.load({str(tmp_path / "face.npy")!r})
def forbidden(*_, **__):
    raise SystemExit("something was unpickled")
for module in (pickle, _pickle):
    module.load = module.loads = module.Unpickler = forbidden
pickle._Unpickler = forbidden
def audit(event, arguments):
    if event in ("pickle.find_class", "subprocess.Popen", "os.system"):
        forbidden()
sys.addaudithook(audit)
model = Shelf(Path({str(tmp_path)!r})).load()
print(model.people[model.guess(face[None]).people[0]].qid)
"""

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )

    assert done.stdout.strip() == "Q2", done.stderr


def test_other_programs_find_all_they_need(tmp_path: Path) -> None:
    """
    Labels and mean faces lie beside the embeddings.

    The classifier works without this program.
    """
    trained = model(1, 2, 3)
    (tmp_path / "m.safetensors").write_bytes(pack(trained))

    arrays = load_file(tmp_path / "m.safetensors")

    assert arrays["vectors"].shape == (12, 128)
    assert arrays["labels"].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert np.allclose(arrays["means"], trained.means(), atol=1e-6)
