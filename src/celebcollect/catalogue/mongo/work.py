"""The work on people in MongoDB: who needs it, who has claimed whom."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from contextlib import closing

from pymongo.errors import DuplicateKeyError

from celebcollect.catalogue import tasks
from celebcollect.catalogue.keys import ALIVE, number
from celebcollect.catalogue.mongo import forgetting
from celebcollect.catalogue.mongo.commands import BATCH
from celebcollect.catalogue.mongo.documents import MANY, NEW_REVISION, Document, among
from celebcollect.catalogue.mongo.part import MongoPart, retried
from celebcollect.catalogue.mongo.people import BY_FAME, count_images
from celebcollect.catalogue.state import Cleaning, SearchState
from celebcollect.disk import owners
from celebcollect.domain.batches import batches


class MongoWork(MongoPart):
    """See `base.Work`."""

    @retried
    def need_search(self, source: str, *, target: int, limit: int | None = None) -> list[str]:
        """Return whom `source` should search; walks along all by fame until it has `limit`."""
        field = _search_field(source)
        query = {"task": tasks.search_task(source), "until": {"$gt": time.time()}}
        held = [
            found for found in self._all.claims.find(query) if found["owner"] != owners.this_owner()
        ]
        dead = owners.dead_owners(found["owner"] for found in held)
        taken = {found["qid"] for found in held if found["owner"] not in dead}
        never: list[str] = []
        again: list[str] = []
        cursor = self._all.celebrities.find(
            {f"{field}.exhausted": {"$ne": True}}, {"number": 1, f"{field}.rounds": 1}
        ).sort(BY_FAME)
        with closing(cursor):
            for batch in batches(cursor, BATCH):
                if limit is not None and len(never) >= limit:
                    break
                counts = count_images(self._all, [found["number"] for found in batch], ALIVE)
                left_out = taken | forgetting.forbidden(
                    self._all, [found["_id"] for found in batch]
                )
                for found in batch:
                    alive = sum(counts.get((found["number"], status), 0) for status in ALIVE)
                    if alive < target and found["_id"] not in left_out:
                        searched = found.get("searches", {}).get(source, {}).get("rounds", 0) > 0
                        (again if searched else never).append(found["_id"])
        return (never + again)[:limit]

    @retried
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
        with closing(
            self._all.celebrities.find(query, {"revision": 1}).sort("number", 1)
        ) as cursor:
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

    @retried
    def clean_again(self, qids: Collection[str]) -> None:
        """Put people in need of cleaning."""
        for batch in batches(set(qids), MANY):
            self._all.celebrities.update_many(among(batch), NEW_REVISION)

    @retried
    def claim(self, task: str, qids: Sequence[str], *, owner: str, lease_s: float) -> list[str]:
        """Take people for a task, each by one find-and-modify."""
        ids = {f"{task}/Q{number(qid)}": qid for qid in qids}
        now = time.time()
        held = [
            found
            for found in self._all.claims.find({**among(ids), "until": {"$gt": now}})
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
                self._all.claims.find_one_and_update(free, {"$set": mine}, upsert=True)
            except DuplicateKeyError:
                continue  # it is there and not free: somebody was faster
            taken.append(qid)
        return taken

    @retried
    def release(self, task: str, qids: Sequence[str], *, owner: str) -> None:
        """Give claims back."""
        self._all.claims.delete_many({**among(f"{task}/{qid}" for qid in qids), "owner": owner})

    @retried
    def record_search(self, qid: str, source: str, state: SearchState) -> None:
        """Set how far `source` has searched for the person."""
        at = None if state.at is None else state.at.isoformat()
        found = {
            "rounds": state.rounds,
            "offered": state.offered,
            "exhausted": state.exhausted,
            "at": at,
            "portraits": None if state.portraits is None else dict(state.portraits),
        }
        self._all.celebrities.update_one({"_id": qid}, {"$set": {_search_field(source): found}})

    @retried
    def record_round(self, qid: str, *, rounds: int, finished: bool) -> None:
        """Set how far `run-all` has come with the person."""
        self._all.celebrities.update_one(
            {"_id": qid}, {"$set": {"rounds": rounds, "finished": finished}}
        )

    @retried
    def record_cleaned(self, cleaning: Cleaning, fingerprint: str) -> None:
        """Mark the person as cleaned; a slower cleaner of an older revision changes nothing."""
        done = {"cleaned": cleaning.revision, "cleaned_with": fingerprint}
        self._all.celebrities.update_one(
            {"_id": cleaning.qid, "cleaned": {"$lte": cleaning.revision}}, {"$set": done}
        )
        # Matches only while no picture has come since; between the two the person is merely cleaned
        # once more.
        self._all.celebrities.update_one(
            {"_id": cleaning.qid, "revision": cleaning.revision}, {"$set": {"dirty": False}}
        )


def _search_field(source: str) -> str:
    if not source or any(char in source for char in ".$\x00"):
        raise ValueError(
            f"MongoDB gives a meaning to a character in the name of the source {source!r}"
        )
    return f"searches.{source}"
