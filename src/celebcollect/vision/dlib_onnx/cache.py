"""Keep the converted ResNet in the user's cache: converting takes 0.1 s and 50 MB each time."""

from __future__ import annotations

import hashlib
import logging
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

    A cached file that was damaged, or is of another source, is converted anew. Where the cache
    cannot be written the work goes on without it.

    Raises:
        NotANetwork: The source is another file.
        OSError: The source cannot be read.
    """
    weights = source.read_bytes()
    cached = platformdirs.user_cache_path("celebcollect") / "models" / _NAME
    key = hashlib.sha256(weights).digest()
    if (kept := _read(cached, key)) is not None:
        return kept
    data = resnet_to_onnx(read_network(weights))
    try:
        make_folder(cached.parent)
        write_file(cached, key + hashlib.sha256(data).digest() + data)
    except OSError as error:
        log.info("converted model not kept file=%s reason=%s", cached, error.strerror)
    return data


def _read(cached: Path, key: bytes) -> bytes | None:
    """Return the kept file when it was made of this source and is whole."""
    try:
        content = cached.read_bytes()
    except OSError:
        return None
    head, data = content[: 2 * _DIGEST_BYTES], content[2 * _DIGEST_BYTES :]
    return data if head == key + hashlib.sha256(data).digest() else None
