"""People in MongoDB, the state of the work on them, and who has claimed whom."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from datetime import datetime

from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from celebcollect.catalogue import tasks
from celebcollect.catalogue.keys import ALIVE, STATUSES, folded, number, numbers, person_of
from celebcollect.catalogue.mongo import documents, forgetting
from celebcollect.catalogue.mongo.documents import BATCH, MANY, Collections, Document, among
from celebcollect.catalogue.mongo.link import Link, Linked, patient
from celebcollect.catalogue.state import Cleaning, PersonState, SaveCounts, SearchState
from celebcollect.disk import owners
from celebcollect.domain.batches import batches
from celebcollect.domain.records import Celebrity, Image, Status, by_fame

BY_FAME = [("sitelinks", -1), ("number", 1)]


class People(Linked):
    """The part of the catalogue that is about people; see `base.Catalogue`."""

    def __init__(self, link: Link, collections: Collections) -> None:
        self._link, self._all = link, collections
        self._celebrities, self._images, self._claims = (
            collections.celebrities,
            collections.images,
            collections.claims,
        )

    # people

    def save_people(self, people: Sequence[Celebrity]) -> SaveCounts:
        """Insert or refresh people; when the server went away in between, some may be counted as unchanged."""
        counts = [self._save_people(batch) for batch in batches(people, BATCH)]
        new, changed, forgotten = (sum(count[part] for count in counts) for part in range(3))
        return SaveCounts(
            new=new,
            changed=changed,
            unchanged=len(people) - new - changed - forgotten,
            forgotten=forgotten,
        )

    @patient
    def _save_people(self, batch: Sequence[Celebrity]) -> tuple[int, int, int]:
        people = forgetting.admit(self._all, batch)
        known = {
            found["_id"]: documents.read_celebrity(found)
            for found in self._celebrities.find(among(p.qid for p in people))
        }
        new = changed = 0
        refreshed: dict[str, Celebrity] = {}
        added: dict[str, Celebrity] = {}
        retrusted: set[str] = set()
        for person in people:
            before = known.get(person.qid)
            if before is not None and (person == before or person.origin != "wikidata"):
                continue
            new, changed = new + (before is None), changed + (before is not None)
            if before is not None and before.portraits != person.portraits:
                retrusted.add(person.qid)
            (refreshed if person.origin == "wikidata" else added)[person.qid] = known[
                person.qid
            ] = person
        self._insert_people(list(added.values()))
        writes = [
            UpdateOne(
                {"_id": qid},
                {"$set": documents.celebrity_facts(person), "$setOnInsert": documents.new_work()},
                upsert=True,
            )
            for qid, person in refreshed.items()
        ]
        documents.write(self._celebrities, writes, per_command=self._link.per_command)
        if retrusted:
            # Which picture is trusted decides about all others.
            self._celebrities.update_many(
                {**among(retrusted), "revision": {"$gt": 0}},
                {"$inc": {"revision": 1}, "$set": {"dirty": True}},
            )
        forgetting.forbidden(self._all, known)
        return new, changed, len(batch) - len(people)

    def _insert_people(self, people: Iterable[Celebrity]) -> None:
        rows = [
            {"_id": person.qid, **documents.celebrity_facts(person), **documents.new_work()}
            for person in people
        ]
        documents.insert(self._celebrities, rows)

    def _add_missing(self, images: Sequence[Image]) -> None:
        first = {image.qid: image for image in reversed(images)}
        known = {found["_id"] for found in self._celebrities.find(among(first), {"_id": 1})}
        self._insert_people(person_of(image) for qid, image in first.items() if qid not in known)

    @patient
    def people(
        self, qids: Collection[str] | None = None, *, limit: int | None = None
    ) -> list[Celebrity]:
        """Return people by fame."""
        if limit == 0:
            return []
        if qids is None:
            cursor = self._celebrities.find().sort(BY_FAME).limit(limit or 0)
            return [documents.read_celebrity(found) for found in cursor]
        found = [
            document
            for batch in batches(set(qids), MANY)
            for document in self._celebrities.find(among(batch))
        ]
        return by_fame(documents.read_celebrity(document) for document in found)[:limit]

    @patient
    def find_people(self, name: str) -> list[Celebrity]:
        """Return the people of exactly this name or alias, by fame."""
        return by_fame(
            documents.read_celebrity(found)
            for found in self._celebrities.find({"folded": folded(name)})
        )

    @patient
    def states(self, qids: Collection[str]) -> dict[str, PersonState]:
        """Return the state of each known person of `qids`."""
        states: dict[str, PersonState] = {}
        for batch in batches(set(qids), BATCH):
            counts = self._count_images(numbers(batch), STATUSES)
            for found in self._celebrities.find(
                among(batch), {"number": 1, "rounds": 1, "finished": 1, "searches": 1}
            ):
                states[found["_id"]] = PersonState(
                    qid=found["_id"],
                    rounds=found["rounds"],
                    finished=found["finished"],
                    searches={
                        source: _search_state(state) for source, state in found["searches"].items()
                    },
                    images={
                        status: counts.get((found["number"], status), 0) for status in STATUSES
                    },
                )
        return states

    def _count_images(
        self, people: Sequence[int], statuses: Sequence[Status]
    ) -> dict[tuple[int, Status], int]:
        pipeline: list[Document] = [
            {
                "$match": {
                    "status": {"$in": [status.value for status in statuses]},
                    "number": {"$in": list(people)},
                }
            },
            {"$group": {"_id": {"number": "$number", "status": "$status"}, "n": {"$sum": 1}}},
        ]
        return {
            (group["_id"]["number"], Status(group["_id"]["status"])): group["n"]
            for group in self._images.aggregate(pipeline)
        }

    # work

    @patient
    def need_search(self, source: str, *, target: int, limit: int | None = None) -> list[str]:
        """Return QIDs whom `source` should search; walks along the people by fame until it has `limit`."""
        field = _search_field(source)
        query = {"task": tasks.search_task(source), "until": {"$gt": time.time()}}
        held = [
            found for found in self._claims.find(query) if found["owner"] != owners.this_owner()
        ]
        dead = owners.dead_owners(found["owner"] for found in held)
        taken = {found["qid"] for found in held if found["owner"] not in dead}
        never: list[str] = []
        again: list[str] = []
        cursor = self._celebrities.find(
            {f"{field}.exhausted": {"$ne": True}}, {"number": 1, f"{field}.rounds": 1}
        ).sort(BY_FAME)
        with closing(cursor):
            for batch in batches(cursor, BATCH):
                if limit is not None and len(never) >= limit:
                    break
                counts = self._count_images([found["number"] for found in batch], ALIVE)
                left_out = taken | forgetting.forbidden(
                    self._all, [found["_id"] for found in batch]
                )
                for found in batch:
                    alive = sum(counts.get((found["number"], status), 0) for status in ALIVE)
                    if alive < target and found["_id"] not in left_out:
                        searched = found.get("searches", {}).get(source, {}).get("rounds", 0) > 0
                        (again if searched else never).append(found["_id"])
        return (never + again)[:limit]

    @patient
    def need_cleaning(
        self, fingerprint: str, *, qids: Collection[str] | None = None, limit: int | None = None
    ) -> list[Cleaning]:
        """Return people to clean, by QID number."""
        if limit == 0:
            return []
        # Less or greater, not unequal: those who were never cleaned have no such field and are
        # dirty if they have pictures.
        query: Document = {
            "$or": [
                {"dirty": True},
                {"cleaned_with": {"$lt": fingerprint}},
                {"cleaned_with": {"$gt": fingerprint}},
            ]
        }
        if qids is not None:
            query = {**among(set(qids)), **query}
        needy: list[Cleaning] = []
        with closing(self._celebrities.find(query, {"revision": 1}).sort("number", 1)) as cursor:
            for batch in batches(cursor, BATCH):
                gone = forgetting.forbidden(self._all, [found["_id"] for found in batch])
                needy += [
                    Cleaning(found["_id"], found["revision"])
                    for found in batch
                    if found["_id"] not in gone
                ]
                if limit is not None and len(needy) >= limit:
                    break
        return needy[:limit]

    @patient
    def clean_again(self, qids: Collection[str]) -> None:
        """Put people in need of cleaning."""
        for batch in batches(set(qids), MANY):
            self._celebrities.update_many(
                among(batch), {"$inc": {"revision": 1}, "$set": {"dirty": True}}
            )

    @patient
    def claim(self, task: str, qids: Sequence[str], *, owner: str, lease_s: float) -> list[str]:
        """Take people for a task, each by one find-and-modify."""
        ids = {f"{task}/Q{number(qid)}": qid for qid in qids}
        now = time.time()
        held = [
            found
            for found in self._claims.find({**among(ids), "until": {"$gt": now}})
            if found["owner"] != owner
        ]
        dead = sorted(owners.dead_owners(found["owner"] for found in held))
        lost = {found["_id"] for found in held if found["owner"] not in dead}
        taken = []
        for key, qid in ids.items():
            if key in lost:
                continue
            free = {
                "_id": key,
                "$or": [{"until": {"$lte": now}}, {"owner": {"$in": [owner, *dead]}}],
            }
            mine = {"task": task, "qid": qid, "owner": owner, "until": now + lease_s}
            try:
                self._claims.find_one_and_update(free, {"$set": mine}, upsert=True)
            except DuplicateKeyError:
                continue  # it is there and not free: somebody was faster
            taken.append(qid)
        return taken

    @patient
    def release(self, task: str, qids: Sequence[str], *, owner: str) -> None:
        """Give claims back."""
        self._claims.delete_many({**among(f"{task}/{qid}" for qid in qids), "owner": owner})

    @patient
    def record_search(self, qid: str, source: str, state: SearchState) -> None:
        """Set how far `source` has searched for the person."""
        at = None if state.at is None else state.at.isoformat()
        found = {
            "rounds": state.rounds,
            "offered": state.offered,
            "exhausted": state.exhausted,
            "at": at,
        }
        self._celebrities.update_one({"_id": qid}, {"$set": {_search_field(source): found}})

    @patient
    def record_round(self, qid: str, *, rounds: int, finished: bool) -> None:
        """Set how far `run-all` has come with the person."""
        self._celebrities.update_one(
            {"_id": qid}, {"$set": {"rounds": rounds, "finished": finished}}
        )

    @patient
    def record_cleaned(self, cleaning: Cleaning, fingerprint: str) -> None:
        """Mark the person as cleaned as of a revision; a slower cleaner of an older one changes nothing."""
        done = {"cleaned": cleaning.revision, "cleaned_with": fingerprint}
        self._celebrities.update_one(
            {"_id": cleaning.qid, "cleaned": {"$lte": cleaning.revision}}, {"$set": done}
        )
        # Matches only while no picture has come since; between the two the person is merely cleaned
        # once more.
        self._celebrities.update_one(
            {"_id": cleaning.qid, "revision": cleaning.revision}, {"$set": {"dirty": False}}
        )


def _search_field(source: str) -> str:
    if not source or any(char in source for char in ".$\x00"):
        raise ValueError(
            f"MongoDB gives a meaning to a character in the name of the source {source!r}"
        )
    return f"searches.{source}"


def _search_state(state: Document) -> SearchState:
    at = state["at"]
    return SearchState(
        rounds=state["rounds"],
        offered=state["offered"],
        exhausted=state["exhausted"],
        at=None if at is None else datetime.fromisoformat(at),
    )
