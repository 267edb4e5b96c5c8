"""What pictures are tried, and why bytes are refused."""

from __future__ import annotations

import pytest

from celebcollect.pictures.decode import inspect
from celebcollect.pictures.formats import NotAPicture

MAX_PIXELS = 100_000_000


KINDS = [
    ("JPEG", "RGB", {}),
    ("JPEG", "RGB", {"progressive": True}),
    ("JPEG", "L", {}),
    ("JPEG", "CMYK", {}),
    ("PNG", "RGB", {}),
    ("PNG", "RGBA", {}),
    ("PNG", "P", {}),
    ("PNG", "LA", {}),
    ("PNG", "1", {}),
    ("WEBP", "RGB", {}),
    ("WEBP", "RGBA", {"lossless": True}),
    ("GIF", "P", {}),
    ("AVIF", "RGB", {}),
]


def why(data: bytes, max_pixels: int = MAX_PIXELS) -> str:
    with pytest.raises(NotAPicture) as refused:
        inspect(data, max_pixels=max_pixels)
    return refused.value.reason
