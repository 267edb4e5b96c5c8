"""
Small pictures for the page: decoded within the limits and encoded anew.

So nothing of a file but its pixels gets onto the page.
"""

from __future__ import annotations

import io
import logging
import re
import secrets
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from celebcollect.disk.files import disk_errors
from celebcollect.domain.cores import available_cores
from celebcollect.domain.errors import StorageError
from celebcollect.domain.records import Image
from celebcollect.images.base import ImageStore
from celebcollect.pictures.file import PictureFile
from celebcollect.pictures.formats import NotAPicture
from celebcollect.pictures.orientation import upright

log = logging.getLogger(__name__)

SIDE_PX = 160
QUALITY = 80

SUFFIX = ".jpg"

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Thumbnails:
    """
    The folder of thumbnails, named by the SHA-256 of their originals.

    Use it as a context manager, because it holds threads. What is there already is taken as it is,
    so a second run only makes new ones.
    """

    def __init__(self, root: Path, pictures: ImageStore, *, max_bytes: int) -> None:
        """Make nothing yet; files of more than `max_bytes` are not opened."""
        self._root, self._pictures, self._max_bytes = root, pictures, max_bytes
        self._threads = ThreadPoolExecutor(available_cores(), "thumbnail")
        self._seen: dict[bytes, bool] = {}
        """Whether there is one, by the digest of each picture asked for."""
        self.made = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)

    def of(self, images: Iterable[Image]) -> set[str]:
        """
        Make the thumbnails that are missing and return the SHA-256 of those pictures that have one.

        Raises:
            StorageError: The disk refuses a thumbnail.
        """
        wanted = {
            image.sha256: image
            for image in images
            if image.path and image.sha256 and _DIGEST.fullmatch(image.sha256)
        }
        new = [image for sha256, image in wanted.items() if bytes.fromhex(sha256) not in self._seen]
        for image, made in zip(new, self._threads.map(self._ensure, new), strict=True):
            self._seen[bytes.fromhex(image.sha256 or "")] = made is not None
            self.made += made is True
        return {sha256 for sha256 in wanted if self._seen[bytes.fromhex(sha256)]}

    @property
    def there(self) -> int:
        """How many of the pictures asked for have a thumbnail."""
        return sum(self._seen.values())

    @property
    def without(self) -> int:
        """How many of the pictures asked for cannot have one."""
        return len(self._seen) - self.there

    def sweep(self) -> int:
        """
        Remove every thumbnail that nobody asked for in this run, and return how many.

        Forgotten people must not live on here.
        """
        removed = 0
        for file in self._root.glob("[0-9a-f][0-9a-f]/*"):
            if not (
                file.suffix == SUFFIX
                and _DIGEST.fullmatch(file.stem)
                and self._seen.get(bytes.fromhex(file.stem))
            ):
                with disk_errors("remove", file):
                    file.unlink(missing_ok=True)
                removed += 1
        return removed

    def _ensure(self, image: Image) -> bool | None:
        """Return whether the thumbnail had to be made; None when there can be none."""
        sha256 = image.sha256 or ""
        target = self._root / sha256[:2] / f"{sha256}{SUFFIX}"
        if target.is_file():
            return False
        data = self._draw(image)
        if data is None:
            return None
        temporary = target.with_name(f"{secrets.token_hex(8)}.part")
        with disk_errors("write", target):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_bytes(data)
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
        return True

    def _draw(self, image: Image) -> bytes | None:
        """Return the JPEG, or None for a file that is gone, too large or cannot be decoded."""
        try:
            with self._pictures.local(image.path or "") as file:
                if not file.is_file() or file.stat().st_size > self._max_bytes:
                    return None
                picture = PictureFile(image.id, file, image.width_px or 1, image.height_px or 1)
                pixels = upright(picture, SIDE_PX)
        except (NotAPicture, StorageError, OSError, ValueError) as error:
            log.debug("no thumbnail path=%s error=%s", image.path, error)
            return None
        out = io.BytesIO()
        pixels.save(out, "JPEG", quality=QUALITY)
        return out.getvalue()
