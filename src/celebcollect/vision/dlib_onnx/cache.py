"""Keep in the user's cache what takes long to make of dlib's models.

Converting the ResNet takes 0.1 s and 50 MB each time, unpacking the HOG detector 0.7 s.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

import platformdirs

from celebcollect.disk.files import make_folder, write_file
from celebcollect.vision.dlib_onnx.resnet import resnet_to_onnx
from celebcollect.vision.dlib_onnx.weights import read_network

log = logging.getLogger(__name__)

_NAME = "dlib-resnet-v1-1.onnx"
"""With the version of the conversion."""
_DIGEST_BYTES = 32


def converted_resnet(source: Path) -> bytes:
    """
    Return the ONNX file of dlib's ResNet, from the user's cache or converted now.

    Raises:
        NotANetwork: The source is another file.
        OSError: The source cannot be read.
    """
    weights = source.read_bytes()
    key = hashlib.sha256(weights).digest()
    return kept(_NAME, key, lambda: resnet_to_onnx(read_network(weights)))


def kept(name: str, key: bytes, make: Callable[[], bytes]) -> bytes:
    """
    Return what is kept in the user's cache, or is made now and kept.

    What was damaged, or is of another source, is made anew. Where the cache cannot be written the
    work goes on without it.

    Args:
        name: Of the file.
        key: 32 bytes that tell its source.
        make: Makes the content.
    """
    cached = platformdirs.user_cache_path("celebcollect") / "models" / name
    if (found := _read(cached, key)) is not None:
        return found
    data = make()
    try:
        make_folder(cached.parent)
        write_file(cached, key + hashlib.sha256(data).digest() + data)
    except OSError as error:
        log.info("model not kept file=%s reason=%s", cached, error.strerror)
    return data


def _read(cached: Path, key: bytes) -> bytes | None:
    """Return the kept file when it was made of this source and is whole."""
    try:
        content = cached.read_bytes()
    except OSError:
        return None
    head, data = content[: 2 * _DIGEST_BYTES], content[2 * _DIGEST_BYTES :]
    return data if head == key + hashlib.sha256(data).digest() else None
