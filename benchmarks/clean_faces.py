"""What face work costs, and how often it is right."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from clean_pictures import with_facts

from celebcollect.checks.base import Picture
from celebcollect.checks.face_facts import embedding_facts, faces_of, seen_facts
from celebcollect.checks.faces import FaceCheck
from celebcollect.config.sections import CleanConfig
from celebcollect.vision.dlib_engine import DlibSpec
from celebcollect.vision.looking import FaceInPicture, detect, embed
from celebcollect.vision.workers import Workers


def bench_faces(pictures: Sequence[Picture]) -> list[Picture]:
    """Print what face work costs here and in one or two processes; return what it found."""
    engine = DlibSpec().load()
    started = time.process_time()
    seen = [detect(engine, picture.stored) for picture in pictures]
    detecting = (time.process_time() - started) / len(pictures)
    detected = [
        with_facts(picture, "faces", seen_facts(found))
        for picture, found in zip(pictures, seen, strict=True)
    ]
    some = [picture for picture in detected if picture.facts("faces")["faces"]]
    faces = [FaceInPicture(picture.stored, faces_of(picture.image)[0]) for picture in some]
    started = time.process_time()
    embeddings = [embed(engine, face) for face in faces]
    embedding = (time.process_time() - started) / len(some)
    print(
        f"  detection {detecting * 1000:.0f} CPU ms/picture, embedding {embedding * 1000:.0f},"
        f" together {(detecting + embedding) * 1000:.0f}"
    )
    rates = {}
    for count in (1, 2):
        workers = Workers(DlibSpec(), count)
        list(workers.run(embed, faces[: 2 * count]))  # models are loaded now
        wall = time.perf_counter()
        list(workers.run(detect, [face.picture for face in faces]))
        list(workers.run(embed, faces))
        rates[count] = len(some) / (time.perf_counter() - wall)
        workers.close()
        print(f"  {count} process{'es' if count > 1 else ''}: {rates[count]:.1f} pictures/s")
    print(
        f"  two by one: {rates[2] / rates[1]:.2f} (others share the processors:"
        f" {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f})"
    )
    return [
        with_facts(picture, "identity", embedding_facts(found))
        for picture, found in zip(some, embeddings, strict=True)
    ]


def bench_detection(
    people: Sequence[Picture],
    groups: Sequence[Picture],
    others: Sequence[Picture],
    labelled: dict[str, int],
) -> None:
    """
    Print how often faces are found, the rule of one face is right, and faces are made up.

    Args:
        people: Photographs of one person each.
        groups: Of several, or of one whose face is cut off.
        others: Of nobody.
        labelled: Faces in each picture, by id, as somebody counted them.
    """
    workers = Workers(DlibSpec(), 2)
    check = FaceCheck(CleanConfig(), DlibSpec(), workers)
    pictures = [*people, *groups, *others]
    facts = dict(check.measure(pictures))
    workers.close()
    pictures = [with_facts(picture, "faces", facts[picture.image.id]) for picture in pictures]
    single, pictured, empty = (
        pictures[: len(people)],
        pictures[: len(people) + len(groups)],
        pictures[len(people) + len(groups) :],
    )
    fallen = {said.id for said in check.reject(pictures)}
    found = sum(bool(faces_of(picture.image)) for picture in single)
    right = sum(
        (picture.image.id not in fallen) == (labelled[picture.image.id] == 1)
        for picture in pictured
    )
    false = sum(bool(faces_of(picture.image)) for picture in empty)
    print(
        f"  main face found: {found} of {len(single)}, {found / len(single):.1%} (demanded: 99 %)"
    )
    print(
        f"  exactly-one rule right: {right} of {len(pictured)},"
        f" {right / len(pictured):.1%} (demanded: 97 %)"
    )
    print(
        f"  false face where there is none: {false} of {len(empty)}, {false / len(empty):.1%} (at"
        " most 1 %)"
    )
