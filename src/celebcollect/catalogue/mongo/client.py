"""Make a client from `mongo.uri`, without ever showing what is secret in it."""

from __future__ import annotations

import re
import warnings
from typing import Any

import pymongo
from pymongo import uri_parser
from pymongo.errors import ConfigurationError, PyMongoError

from celebcollect.config.sections import MongoConfig
from celebcollect.domain.errors import CatalogueError, CelebCollectError, ConfigError

Document = dict[str, Any]

SELECTION_S = 2.0
"""So long at a time the driver looks for a server: as soon as that is over we see whether we are to
stop."""

SOCKET_TIMEOUT_S = 120.0
"""A server that says nothing for so long on an open connection counts as gone; our longest
statement (`status`) takes seconds."""

POOL = 64
"""Connections at most: a process asks from as many threads as it downloads with, and each asks
briefly."""


def client_of(settings: MongoConfig) -> tuple[str, pymongo.MongoClient[Document]]:
    """
    Return where the server is, without user and password, and a client.

    The client has not asked it anything yet.

    Raises:
        ConfigError: `mongo.uri` is no usable URI, or names a file that cannot be used.
        CatalogueError: DNS knows no servers for it.
    """
    uri, milliseconds = settings.uri.get_secret_value(), int(settings.timeout_s * 1000)
    # An @ behind the first slash or question mark is one of an unescaped password, whose beginning
    # would pass for the host.
    torn = "@" in re.sub(r"^[^/]*//[^/?]*", "", uri)
    trouble: CelebCollectError | None = None
    try:
        if torn:
            raise ValueError
        with warnings.catch_warnings():
            # An unknown option is told by a warning that holds its value.
            warnings.simplefilter("ignore")
            hosts = uri_parser.parse_uri(uri, connect_timeout=settings.timeout_s)["nodelist"]
            client: pymongo.MongoClient[Document] = pymongo.MongoClient(
                uri,
                appname="celebcollect",
                uuidRepresentation="standard",
                # A row must survive the loss of a server, because an offset is committed after it.
                w="majority",
                journal=True,
                maxPoolSize=POOL,
                serverSelectionTimeoutMS=min(milliseconds, int(SELECTION_S * 1000)),
                connectTimeoutMS=milliseconds,
                socketTimeoutMS=int(SOCKET_TIMEOUT_S * 1000),
                # What one worker has written the next one must see.
                readPreference="primary",
            )
    except (PyMongoError, ValueError, TypeError, OSError) as error:
        trouble = _unusable(error)
    if trouble is not None:
        raise trouble
    return ",".join(f"{host}:{port}" if port else str(host) for host, port in hosts), client


def _unusable(error: Exception) -> CelebCollectError:
    """
    Return why there is no client, in words of ours.

    The driver's may quote parts of a password that was not escaped.
    """
    if isinstance(error, OSError):
        return ConfigError(
            "mongo.uri names a file that cannot be used",
            hint="tlsCAFile and tlsCertificateKeyFile: PEM files that this user may read.",
        )
    # The driver raises from a cause only where DNS does not answer (mongodb+srv).
    if isinstance(error, ConfigurationError) and error.__cause__ is not None:
        return CatalogueError(
            "the servers behind mongo.uri cannot be looked up in DNS",
            hint=(
                "Is the name right, and does this machine reach a name server? mongodb:// with"
                " hosts and ports asks for no such record."
            ),
        )
    return ConfigError(
        "mongo.uri is no usable MongoDB URI",
        hint=(
            "mongodb://USER:PASSWORD@HOST:27017/?options, with special characters in user and"
            " password as %XX."
        ),
    )
