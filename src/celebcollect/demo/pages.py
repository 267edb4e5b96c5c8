"""The pages of the demonstration's image search, in the shapes that the real one has."""

from __future__ import annotations

import html
import json
import zlib
from collections.abc import Sequence

from celebcollect.demo.planted import PlantedPicture

Size = tuple[int, int]
"""Width and height in pixels."""

CONSENT_PAGE = """<!doctype html><html lang="en"><title>Before you continue</title><body>
<div role="dialog" aria-modal="true"><h1>Before you continue</h1>
<button id="W0wltc" onclick="document.cookie='consent=no';location.reload()">Reject all</button>
<button id="L2AGLb" onclick="document.cookie='consent=yes';location.reload()">Accept all</button>
</div></body></html>"""

SHELL_PAGE = """<!doctype html><html lang="en"><title>Google Search</title><body>
<noscript><meta content="0;url=/httpservice/retry/enablejs" http-equiv="refresh"></noscript>
<script>
document.cookie = 'javascript=on'; setTimeout(function () { location.reload() }, 50)
</script></body></html>"""


def result_page(query: str, found: Sequence[tuple[PlantedPicture, Size]], base: str) -> str:
    """Return a result page whose records only its script holds."""
    if not found:
        return (
            f"<!doctype html><title>{html.escape(query)} - Google Search</title><body>did not match"
            " any image results.</body>"
        )
    records = {
        f"demo{rank}": [1, _record(rank, picture, size, base)]
        for rank, (picture, size) in enumerate(found)
    }
    # Inside a script, "</" would end it; JSON allows the escape.
    merged = json.dumps(records, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    tiles = "".join(
        f'<div data-attrid="images universal" data-docid="{_docid(picture)}"></div>'
        for picture, _ in found
    )
    head = f"<head><meta charset='utf-8'><title>{html.escape(query)} - Google Search</title></head>"
    return (
        f"<!doctype html><html>{head}<body><div id='rso'>{tiles}</div><script>(function(){{var"
        f" m={merged};window.W_jd=m;}})();</script></body></html>"
    )


def _docid(picture: PlantedPicture) -> str:
    return f"demo{picture.player.number:02d}{zlib.crc32(picture.path.encode()):08x}"


def _record(rank: int, picture: PlantedPicture, size: Size, base: str) -> list[object]:
    width, height = size
    page = f"{base}/page/{picture.player.number}/{rank}"
    title = f"Picture {rank} of {picture.player.name}"
    about = [
        None,
        f"ref{rank}",
        page,
        title,
        None,
        None,
        None,
        None,
        None,
        False,
        None,
        None,
        "The small web",
    ]
    return [
        0,
        _docid(picture),
        [f"https://encrypted-tbn0.gstatic.com/images?q=tbn:demo{rank}", 120, 120],
        [base + picture.path, height, width],
        None,
        0,
        "rgb(40,40,40)",
        None,
        0,
        {"2000": [None, "127.0.0.1", "60KB"], "2003": about, "2008": [None, title]},
    ]
