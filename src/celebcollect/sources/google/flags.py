"""How Chromium is set up: quiet, and honest about what it is.

Nothing here hides that a program drives it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from celebcollect.sources.google.records import is_googles

QUIET = (
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-extensions-with-background-pages",
    "--disable-component-update",
    "--disable-crash-reporter",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-field-trial-config",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
    (
        "--disable-features=AutofillServerCommunication,CertificateTransparencyComponentUpdater,DialMediaRouteProvider,"
        "InterestFeedContentSuggestions,MediaRouter,NetworkTimeServiceQuerying,OptimizationGuideModelDownloading,"
        "OptimizationHints,OptimizationHintsFetching,Translate"
    ),
)
"""Switches without which Chromium itself asks Google for updates, models, lists and accounts."""

PREFERENCES = {
    # 2 = block; unlike the switches it works on a Grid as well
    "profile.managed_default_content_settings.images": 2,
    "download_restrictions": 3,  # 3 = none at all
    "safebrowsing.enabled": False,
    "search.suggest_enabled": False,
    "alternate_error_pages.enabled": False,
    "net.network_prediction_options": 2,  # 2 = never
    "signin.allowed": False,
    "translate.enabled": False,
    "credentials_enable_service": False,
}
"""Nothing is loaded that is not needed, nothing is saved, nobody is told what is visited."""

# What a result page itself needs. Not accounts.google.com or update.googleapis.com, which Chromium
# asks on its own.
_RESULT_PAGE_HOSTS = (
    "www.google.*",
    "consent.google.*",
    "sorry.google.*",
    "ogs.google.com",
    "apis.google.com",
    "*.gstatic.com",
    "fonts.googleapis.com",
)


def only(search_url: str) -> str:
    """
    Return the switch that lets the browser reach the search's hosts and nobody else.

    The other switches are not enough: with them alone, Chromium 156 still asked
    accounts.google.com, update.googleapis.com and the start page of its distribution (seen in its
    network log). Behind a proxy it still does: there the proxy looks names up, and this switch has
    no say.
    """
    host = urlsplit(search_url).hostname or ""
    hosts = (host, *_RESULT_PAGE_HOSTS) if is_googles(search_url) else (host,)
    return "--host-resolver-rules=" + ", ".join(
        ("MAP * ~NOTFOUND", *(f"EXCLUDE {name}" for name in hosts))
    )
