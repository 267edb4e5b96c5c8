"""The names of httpx that this package uses; no other file imports it.

Whoever puts another library in its place begins here (docs/decisions/http-library.md). Downloads of
pictures do not come by: they have libcurl, behind `web.fetch`.
"""

from httpx import (
    URL,
    Client,
    ConnectError,
    DecodingError,
    HTTPError,
    InvalidURL,
    Limits,
    NetworkError,
    ReadTimeout,
    RemoteProtocolError,
    Response,
    TimeoutException,
    TooManyRedirects,
    head,
)

__all__ = (
    "URL",
    "Client",
    "ConnectError",
    "DecodingError",
    "HTTPError",
    "InvalidURL",
    "Limits",
    "NetworkError",
    "ReadTimeout",
    "RemoteProtocolError",
    "Response",
    "TimeoutException",
    "TooManyRedirects",
    "head",
)
