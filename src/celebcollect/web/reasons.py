"""Why a URL is not asked for, and why a download gives no bytes."""

from __future__ import annotations

from celebcollect.domain.reasons import Reason

_AGAIN = "`store` tries again by itself, after 10 minutes, then 1, 6 and 24 hours."


class UrlReason(Reason):
    """What speaks against a URL, by its text or by the address behind its host name."""

    TOO_LONG = "too_long", "validate", "A URL of more than 8192 characters."
    MALFORMED_URL = "malformed_url", "validate", "Text that is no URL, or a redirect to such text."
    NOT_HTTP = "not_http", "validate", "A URL of another scheme than http and https."
    USERINFO = "userinfo", "validate", "A URL that carries a user name or password."
    BAD_PORT = "bad_port", "validate", "A port of another protocol, which browsers refuse too."
    PRIVATE_ADDRESS = (
        "private_address",
        "validate",
        "An address of a private network or of this machine, in the URL or behind its host name.",
        "Set `[store] allow_private_addresses = true` only to collect from a network of your own.",
    )
    PRIVATE_NAME = (
        "private_name",
        "validate",
        "A host name that never leaves a local network.",
        "Set `[store] allow_private_addresses = true` only to collect from a network of your own.",
    )
    CRAWLERS_ONLY = (
        "crawlers_only",
        "validate",
        "A host that gives its pictures to the crawlers of search engines and to nobody else"
        " (lookaside.fbsbx.com, lookaside.instagram.com).",
        "Nothing: the same photograph is often found elsewhere.",
    )
    EXPIRED_LINK = (
        "expired_link",
        "validate",
        "A signed link of TikTok, Instagram or Facebook whose time is over.",
        "Search again: a source that still shows the picture gives a new link.",
    )


class FetchReason(Reason):
    """Why a download gave no bytes."""

    NOT_FOUND = "not_found", "store", "The server says that there is nothing (404, 410)."
    FORBIDDEN = "forbidden", "store", "The server refuses (401, 403, 451)."
    RATE_LIMITED = (
        "rate_limited",
        "store",
        "The server asks us to slow down (429, 420, a challenge of Cloudflare or AWS); its host is"
        " left alone for a while, and the picture is tried again, however often it takes.",
        "Nothing: the run waits up to `[store] host_wait_s`, the next ones go on. A smaller"
        " `[store] per_host` asks more slowly.",
    )
    SERVER_ERROR = (
        "server_error",
        "store",
        "The server failed (408, 425, 5xx); tried again later.",
        _AGAIN,
    )
    BAD_STATUS = "bad_status", "store", "Any other HTTP status than success."
    TOO_MANY_REDIRECTS = "too_many_redirects", "store", "The server sends us on and on."
    ROBOTS_DISALLOWED = (
        "robots_disallowed",
        "store",
        "The host's robots.txt disallows the picture.",
        "Nothing: the owner of the host does not want it to be fetched.",
    )
    ROBOTS_UNREACHABLE = (
        "robots_unreachable",
        "store",
        "The host's robots.txt cannot be had, so nobody knows what it disallows; tried again"
        " later.",
        _AGAIN,
    )
    OPTED_OUT = (
        "opted_out",
        "store",
        "The server's X-Robots-Tag forbids the use of its pictures in machine learning.",
        "Nothing: the owner of the host does not want it.",
    )
    UNRESOLVABLE = (
        "unresolvable",
        "store",
        "The host name leads nowhere; tried again later.",
        f"If every host is unresolvable, this machine has no name service. {_AGAIN}",
    )
    CONNECTION_FAILED = (
        "connection_failed",
        "store",
        "No connection, or it broke; tried again later.",
        f"If every host fails, look at this machine's network. {_AGAIN}",
    )
    TLS_ERROR = (
        "tls_error",
        "store",
        "The server's certificate or encryption is not to be trusted.",
        "If every host fails, look at this machine's clock: `celebcollect doctor` tells it.",
    )
    TIMEOUT = (
        "timeout",
        "store",
        "The server took too long; tried again later.",
        f"`[http] timeout_s` gives servers more time. {_AGAIN}",
    )
    HOST_RESTING = (
        "host_resting",
        "store",
        "The host said stop, or failed several times in a row, and is left alone for a while; tried"
        " again later.",
        "Nothing: `store` goes on with it when the pause is over, in this run (up to `[store]"
        " host_wait_s`) or the next one.",
    )
    BAD_RESPONSE = (
        "bad_response",
        "store",
        "The answer breaks the rules of HTTP or is cut off.",
        _AGAIN,
    )
    UNSUPPORTED_ENCODING = (
        "unsupported_encoding",
        "store",
        "The answer is compressed in a way that was not asked for.",
    )
    TOO_LARGE = (
        "too_large",
        "store",
        "More bytes than `[store] max_bytes`.",
        "A larger `[store] max_bytes` lets new candidates of this size through.",
    )
