"""Why Google gives nothing of a person, or not all of it."""

from __future__ import annotations

from celebcollect.domain.reasons import Reason


class GoogleReason(Reason):
    """What a search in the browser did not bring."""

    NO_QUERY = "google_no_query", "sources", "No query could be made from the person's names."
    NO_RESULTS = "google_no_results", "sources", "Google says that nothing matches."
    NOT_ORIGINAL = (
        "google_not_original",
        "sources",
        "Google shows a thumbnail without the address of the original.",
    )
    UNKNOWN_PAGE = (
        "google_unknown_page",
        "sources",
        "Google sent a page that nobody understands; it is kept under `data_dir/pages`.",
        "Look at the page that was kept. If Google has changed its pages, a newer version of"
        " celebcollect may read them.",
    )
    BROWSER_CRASHED = (
        "google_browser_crashed",
        "sources",
        "The browser, its tab or its driver died twice; the person is searched again in a later"
        " run.",
        "Run `celebcollect doctor`; a machine with little memory kills browsers.",
    )
    BROWSER_TIMEOUT = (
        "google_browser_timeout",
        "sources",
        "The browser did not answer twice; the person is searched again in a later run.",
        "Run `celebcollect doctor`; a busy machine makes the browser slow.",
    )
    BROWSER_UNREACHABLE = (
        "google_browser_unreachable",
        "sources",
        "The browser found no network.",
        "Look at this machine's network and at `[google] search_url`.",
    )
    CACHE_UNREADABLE = (
        "google_cache_unreadable",
        "sources",
        "A remembered answer cannot be read; the query is put again.",
    )
