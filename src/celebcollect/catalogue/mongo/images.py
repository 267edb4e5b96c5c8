"""Images in MongoDB."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from pymongo import ReplaceOne

from celebcollect.catalogue import bands
from celebcollect.catalogue.keys import SETTLED, STATUSES, number, numbers
from celebcollect.catalogue.mongo import commands, documents, forgetting
from celebcollect.catalogue.mongo.commands import BATCH
from celebcollect.catalogue.mongo.documents import MANY, NEW_REVISION, Document, among
from celebcollect.catalogue.mongo.part import MongoPart, retried
from celebcollect.catalogue.mongo.people import add_missing
from celebcollect.catalogue.state import Counts
from celebcollect.domain.batches import batches
from celebcollect.domain.records import Image, Status

BY_ID = [("number", 1), ("_id", 1)]


class MongoImages(MongoPart):
    """See `base.Images`."""

    @retried
    def known(self, ids: Collection[str]) -> set[str]:
        """Return those image ids that exist."""
        return {
            found["_id"]
            for batch in batches(set(ids), MANY)
            for found in self._all.images.find(among(batch), {"_id": 1})
        }

    def add_verified(self, images: Sequence[Image]) -> int:
        """
        Insert rows and people that are missing.

        When the server went away in between, fewer may be counted as new.
        """
        return sum(self._add_verified(batch) for batch in batches(images, BATCH))

    @retried
    def _add_verified(self, batch: Sequence[Image]) -> int:
        images = forgetting.allowed(self._all, batch)
        # Backwards, so that of the same id twice the first stays.
        rows = {image.id: documents.image_document(image) for image in reversed(images)}
        add_missing(self._all, images)
        known = commands.insert(self._all.images, list(rows.values()))
        forgetting.allowed(self._all, images)
        return len(rows) - len(known)

    @retried
    def images_by_id(self, ids: Collection[str]) -> dict[str, Image]:
        """Return the rows that exist, by id."""
        found = (
            document
            for batch in batches(set(ids), MANY)
            for document in self._all.images.find(among(batch))
        )
        return {document["_id"]: documents.read_image(document) for document in found}

    def record_stored(self, images: Sequence[Image]) -> None:
        """Write what `store` found, and put the people with new pictures in need of cleaning."""
        for batch in batches(images, BATCH):
            self._record_stored(batch)

    @retried
    def _record_stored(self, batch: Sequence[Image]) -> None:
        images = forgetting.allowed(self._all, batch)
        wanted: dict[str, Image] = {}
        for image in images:
            if image.id not in wanted or wanted[image.id].status is not Status.STORED:
                wanted[image.id] = image
        rows = {image.id: documents.image_document(image) for image in wanted.values()}
        add_missing(self._all, list(wanted.values()))
        final: dict[str, str] = {}
        waiting = set(rows)
        while waiting:
            found = {
                row["_id"]: row["status"]
                for row in self._all.images.find(among(waiting), {"status": 1})
            }
            final.update(found)
            lost = self._replace(
                {id_: status for id_, status in found.items() if status not in SETTLED}, rows
            )
            # What another worker has changed or inserted in between is looked at again.
            waiting = lost | commands.insert(
                self._all.images, [rows[id_] for id_ in waiting - found.keys()]
            )
        # Last, and for rows that were stored already too: a worker that died in between repeats its
        # batch, and a picture whose person is not sent to `clean` would wait for ever.
        decided = (Status.ACCEPTED, Status.REJECTED)
        changed = {
            image.qid
            for image in wanted.values()
            if image.status is Status.STORED and final.get(image.id) not in decided
        }
        if changed:
            self._all.celebrities.update_many(among(changed), NEW_REVISION)
        forgetting.allowed(self._all, images)

    def _replace(self, seen: dict[str, str], rows: dict[str, Document]) -> set[str]:
        """
        Replace rows that still have the status that was seen.

        Return the ids to look at again, because some had another one.
        """
        guards = {
            id_: {"status": status} if self._connection.guards else {}
            for id_, status in seen.items()
        }
        writes = [ReplaceOne({"_id": id_, **guards[id_]}, rows[id_]) for id_ in seen]
        matched = commands.write(self._all.images, writes, per_command=self._connection.per_command)
        return set(seen) if matched < len(seen) else set()

    @retried
    def with_bytes(self, shas: Collection[str]) -> list[Image]:
        """Return all rows with one of these SHA-256 digests, by QID number and id."""
        return self._sorted({"sha256": {"$in": sorted(set(shas))}})

    @retried
    def similar(self, phashes: Collection[str], *, version: int, bits: int) -> list[Image]:
        """Return all rows whose hash is like one of these, by QID number and id."""
        alike: set[str] = set()
        for batch in batches(sorted(set(phashes)), bands.BATCH):
            asked = bands.probes(batch, bits)
            rows = self._all.images.find({"bands": {"$in": sorted(asked)}}, {"phash": 1})
            texts = {bands.signed(row["phash"]): row["phash"] for row in rows}
            pairs = [
                (key, phash)
                for phash, text in texts.items()
                for key in bands.keys(bands.number(text))
                if key in asked
            ]
            alike.update(texts[phash] for phash in bands.near(asked, pairs, bits))
        return [
            image
            for image in self._sorted({"phash": {"$in": sorted(alike)}})
            if image.phash_version == version
        ]

    def person_images(self, qid: str) -> list[Image]:
        """Return all rows of a person, by id."""
        return list(self.images(qid=qid))

    def record_verdicts(self, images: Sequence[Image]) -> None:
        """Write what `clean` decided."""
        for batch in batches(images, BATCH):
            self._record_verdicts(batch)

    @retried
    def _record_verdicts(self, images: Sequence[Image]) -> None:
        rows = [documents.image_document(image) for image in images]
        writes = [ReplaceOne({"_id": row["_id"]}, row) for row in rows]
        commands.write(self._all.images, writes, per_command=self._connection.per_command)

    def images(
        self, *, qid: str | None = None, status: Status | None = None, after: str | None = None
    ) -> Iterator[Image]:
        """
        Yield rows by QID number and id, a page at a time.

        What is written meanwhile may be seen or not.
        """
        query: Document = {} if status is None else {"status": Status(status).value}
        only = None if qid is None else numbers([qid])
        if only == []:
            return
        # A page may end in the middle of a person, whose rest comes first then. Two plain ranges,
        # each along one index.
        begin = 0 if after is None else number(after)
        # "~" comes behind every id of a person.
        person, last = (only[0], "") if only else (begin, "~")
        while True:
            page = self._page({**query, "number": person, "_id": {"$gt": last}})
            if len(page) < BATCH:
                yield from (documents.read_image(row) for row in page)
                if only:
                    return
                page = self._page({**query, "number": {"$gt": person}})
            yield from (documents.read_image(row) for row in page)
            if not page:
                return
            person, last = page[-1]["number"], page[-1]["_id"]

    @retried
    def _page(self, query: Document) -> list[Document]:
        return list(self._all.images.find(query).sort(BY_ID).limit(BATCH))

    @retried
    def counts(self) -> Counts:
        """Return the totals, counted along indexes: about half a second for a million images."""
        pipeline: list[Document] = [
            {"$match": {"status": {"$in": [status.value for status in STATUSES]}}},
            {"$group": {"_id": {"status": "$status", "reason": "$reason"}, "n": {"$sum": 1}}},
        ]
        groups = [
            (Status(group["_id"]["status"]), group["_id"].get("reason"), group["n"])
            for group in self._all.images.aggregate(pipeline)
        ]
        people = self._all.celebrities.count_documents({"_id": {"$gt": "Q"}})
        return Counts.of(people, groups)

    def _sorted(self, query: Document) -> list[Image]:
        images = [documents.read_image(row) for row in self._all.images.find(query)]
        return sorted(images, key=lambda image: (number(image.qid), image.id))
