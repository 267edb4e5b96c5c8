"""Tell whether dlib can be used here, without importing it or anything else that is heavy."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from celebcollect.domain.install import install_command

INSTALL = install_command("celebcollect[faces]")
PACKAGES = ("dlib", "face_recognition_models", "onnxruntime")


def why_not() -> str | None:
    """
    Return why dlib cannot be used here, or None when it can.

    Imports nothing, because an import on an unfit processor would kill the process.
    """
    if any(find_spec(name) is None for name in PACKAGES):
        return "the extra `faces` is not installed"
    try:
        flags = re.search(
            r"^flags\s*:(.*)$",
            Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace"),
            re.MULTILINE,
        )
    except OSError:
        # no Linux: nothing to ask, and dlib-bin's builds for other systems run on what these need
        # anyway
        return None
    if flags and "avx" not in flags[1].split():
        return (
            "this processor lacks AVX, which dlib-bin is built with; dlib built from source works"
        )
    return None
