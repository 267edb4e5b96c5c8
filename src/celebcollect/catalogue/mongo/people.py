"""People in MongoDB, and how far each has come."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from pymongo import UpdateOne

from celebcollect.catalogue.keys import STATUSES, folded, numbers, person_of
from celebcollect.catalogue.mongo import commands, documents, forgetting
from celebcollect.catalogue.mongo.commands import BATCH
from celebcollect.catalogue.mongo.documents import MANY, NEW_REVISION, Document, among
from celebcollect.catalogue.mongo.part import MongoPart, retried
from celebcollect.catalogue.mongo.schema import Collections
from celebcollect.catalogue.state import PersonState, SaveCounts, SearchState
from celebcollect.domain.batches import batches
from celebcollect.domain.records import Celebrity, Image, Status, by_fame

BY_FAME = [("sitelinks", -1), ("number", 1)]


class MongoPeople(MongoPart):
    """See `base.People`."""

    def save_people(self, people: Sequence[Celebrity]) -> SaveCounts:
        """
        Insert or refresh people.

        When the server went away in between, some may be counted as unchanged.
        """
        counts = [self._save_people(batch) for batch in batches(people, BATCH)]
        new, changed, forgotten = (sum(count[part] for count in counts) for part in range(3))
        return SaveCounts(
            new=new,
            changed=changed,
            unchanged=len(people) - new - changed - forgotten,
            forgotten=forgotten,
        )

    @retried
    def _save_people(self, batch: Sequence[Celebrity]) -> tuple[int, int, int]:
        people = forgetting.admit(self._all, batch)
        known = {
            found["_id"]: documents.read_celebrity(found)
            for found in self._all.celebrities.find(among(p.qid for p in people))
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
        insert_people(self._all, added.values())
        writes = [
            UpdateOne(
                {"_id": qid},
                {"$set": documents.celebrity_facts(person), "$setOnInsert": documents.new_work()},
                upsert=True,
            )
            for qid, person in refreshed.items()
        ]
        commands.write(self._all.celebrities, writes, per_command=self._connection.per_command)
        if retrusted:
            # Which picture is trusted decides about all others.
            self._all.celebrities.update_many(
                {**among(retrusted), "revision": {"$gt": 0}},
                NEW_REVISION,
            )
        forgetting.forbidden(self._all, known)
        return new, changed, len(batch) - len(people)

    @retried
    def people(
        self, qids: Collection[str] | None = None, *, limit: int | None = None
    ) -> list[Celebrity]:
        """Return people by fame."""
        if limit == 0:
            return []
        if qids is None:
            cursor = self._all.celebrities.find().sort(BY_FAME).limit(limit or 0)
            return [documents.read_celebrity(found) for found in cursor]
        found = [
            document
            for batch in batches(set(qids), MANY)
            for document in self._all.celebrities.find(among(batch))
        ]
        return by_fame(documents.read_celebrity(document) for document in found)[:limit]

    @retried
    def find_people(self, name: str) -> list[Celebrity]:
        """Return the people of exactly this name or alias, by fame."""
        return by_fame(
            documents.read_celebrity(found)
            for found in self._all.celebrities.find({"folded": folded(name)})
        )

    @retried
    def states(self, qids: Collection[str]) -> dict[str, PersonState]:
        """Return the state of each known person of `qids`."""
        states: dict[str, PersonState] = {}
        for batch in batches(set(qids), BATCH):
            counts = count_images(self._all, numbers(batch), STATUSES)
            for found in self._all.celebrities.find(
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


def insert_people(collections: Collections, people: Iterable[Celebrity]) -> None:
    """Insert people who are not there yet."""
    rows = [
        {"_id": person.qid, **documents.celebrity_facts(person), **documents.new_work()}
        for person in people
    ]
    commands.insert(collections.celebrities, rows)


def add_missing(collections: Collections, images: Sequence[Image]) -> None:
    """Insert the people of images who are not known yet, with what the images say of them."""
    first = {image.qid: image for image in reversed(images)}
    known = {found["_id"] for found in collections.celebrities.find(among(first), {"_id": 1})}
    missing = [person_of(image) for qid, image in first.items() if qid not in known]
    insert_people(collections, missing)


def count_images(
    collections: Collections, people: Sequence[int], statuses: Sequence[Status]
) -> dict[tuple[int, Status], int]:
    """Return how many images of these states these people have, by number and state."""
    wanted = {
        "status": {"$in": [status.value for status in statuses]},
        "number": {"$in": list(people)},
    }
    by_both = {"_id": {"number": "$number", "status": "$status"}, "n": {"$sum": 1}}
    groups = collections.images.aggregate([{"$match": wanted}, {"$group": by_both}])
    return {
        (group["_id"]["number"], Status(group["_id"]["status"])): group["n"] for group in groups
    }


def _search_state(state: Document) -> SearchState:
    at = state["at"]
    return SearchState(
        rounds=state["rounds"],
        offered=state["offered"],
        exhausted=state["exhausted"],
        at=None if at is None else datetime.fromisoformat(at),
        portraits=state.get("portraits"),
    )
