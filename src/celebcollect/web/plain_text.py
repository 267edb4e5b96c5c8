"""Turn a piece of HTML from outside into the text that a reader sees, on one line."""

from __future__ import annotations

from html.parser import HTMLParser

from celebcollect.domain.text import clean_text

MAX_HTML_CHARS = 20_000
"""Longer pieces are cut: the parser's worst case is quadratic, and nobody's name is that long."""

_BREAKS = {"br", "dd", "div", "dl", "dt", "li", "ol", "p", "table", "td", "th", "tr", "ul"}
_VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}
_UNSEEN = {"script", "style", "template", "noscript"}


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BREAKS:
            self.parts.append(" ")
        style = next((value or "" for name, value in attrs if name == "style"), "")
        hides = tag in _UNSEEN or "display:none" in "".join(style.split()).lower()
        if tag not in _VOID and (self._unseen or hides):
            self._unseen += 1

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            self._unseen -= 1
        if tag in _BREAKS:
            self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)


def plain_text(html: str) -> str:
    """
    Return the visible text, with entities resolved, blocks apart and no control characters.

    Unreadable markup ends it early.
    """
    parser = _Text()
    try:
        parser.feed(html[:MAX_HTML_CHARS])
        parser.close()
    except AssertionError:
        pass  # how the parser reports a broken `<![...`; what came before it is kept
    return clean_text("".join(parser.parts))
