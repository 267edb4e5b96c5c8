"""What the six parts of the catalogue in MongoDB share: the connection and the collections."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from celebcollect.catalogue.mongo.connection import MongoConnection
from celebcollect.catalogue.mongo.schema import Collections

P = ParamSpec("P")
T = TypeVar("T")


class MongoPart:
    """One part of the catalogue, over the connection that all of them share."""

    def __init__(self, connection: MongoConnection, collections: Collections) -> None:
        self._connection, self._all = connection, collections


S = TypeVar("S", bound=MongoPart)


def retried(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Do the whole method again when the server went away; each is harmless when done twice."""

    @wraps(method)
    def until_done(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._connection.retry(lambda: method(self, *args, **kwargs))

    return cast("Callable[Concatenate[S, P], T]", until_done)
