"""Write drawings as SVG: whoever looks at one has the letters of every script, or gets them."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from html import escape
from itertools import count

from PIL import Image

from celebcollect.domain.text import clean_text

INK, FAINT = "#20242c", "#d6dae2"
ROW_PX = 18
"""Height of a line of text."""

_FONT = "system-ui, 'Noto Sans', 'Segoe UI', sans-serif"


class Drawing:
    """A drawing in pixels from the upper left corner; texts are never markup."""

    def __init__(self, width: int, height: int, title: str) -> None:
        """Begin with a title on white."""
        self._size = width, height
        self._parts: list[str] = [f"<title>{_plain(title)}</title>"]
        self.box((0, 0), (width, height), "#ffffff")
        self.text((10, 26), title, size=18)

    def text(
        self, at: tuple[int, int], text: str, colour: str = INK, *, size: int = 13, turned: int = 0
    ) -> None:
        """Write a text from its base line on; `turned` is in degrees, clockwise."""
        x, y = at
        turn = f' transform="rotate({turned} {x} {y})"' if turned else ""
        self._parts.append(
            f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}"{turn}>{_plain(text)}</text>'
        )

    def line_of(self, at: tuple[int, int], width: int, text: str, colour: str = INK) -> None:
        """Write a text of any length on a line that is so wide; all of it is its tooltip."""
        x, y = at
        shown = _plain(text)
        self._parts.append(
            f'<svg x="{x}" y="{y}" width="{width}" height="{ROW_PX}">'
            f'<text x="0" y="13" font-size="13" fill="{colour}">'
            f"<title>{shown}</title>{shown}</text></svg>"
        )

    def box(self, at: tuple[int, int], size: tuple[int, int], colour: str) -> None:
        """Fill a rectangle."""
        (x, y), (width, height) = at, size
        self._parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{colour}"/>'
        )

    def picture(self, at: tuple[int, int], picture: Image.Image) -> None:
        """Show a picture in its size, inside of the file."""
        file = io.BytesIO()
        picture.convert("RGB").save(file, "JPEG", quality=85)
        data = base64.b64encode(file.getvalue()).decode("ascii")
        self._parts.append(
            f'<image x="{at[0]}" y="{at[1]}" width="{picture.width}" height="{picture.height}"'
            f' href="data:image/jpeg;base64,{data}"/>'
        )

    def legend(self, at: tuple[int, int], entries: Iterable[tuple[str, str]]) -> None:
        """Say what colours mean, side by side: pairs of a text and its colour."""
        x, y = at
        for number, (text, colour) in zip(count(), entries, strict=False):
            left = x + number * 110
            self.box((left, y), (12, 12), colour)
            self.text((left + 18, y + 11), text)

    def bytes(self) -> bytes:
        """Return the file."""
        width, height = self._size
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
            f' viewBox="0 0 {width} {height}" font-family="{_FONT}">'
        )
        return "\n".join((head, *self._parts, "</svg>\n")).encode()


def person(qid: str, name: str) -> str:
    """
    Return what a chart calls a person.

    The name is set apart, so that one that runs from right to left does not turn what is around it
    (FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE, Unicode annex 9).
    """
    shown = clean_text(name)
    return f"{qid} \u2068{shown}\u2069" if shown else qid


def _plain(text: str) -> str:
    # XML has no way to say the other control characters.
    return escape("".join(one for one in text if one >= " " and one not in "\ufffe\uffff"))
