"""Hints name the command that fits how the program was installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from celebcollect.domain.install import install_command


@pytest.mark.parametrize(
    ("left_behind", "faces", "other"),
    [
        (None, "pip install 'celebcollect[faces]'", "pip install onnxruntime"),
        (
            "pipx_metadata.json",
            "pipx install --force 'celebcollect[faces]'",
            "pipx inject celebcollect onnxruntime",
        ),
        (
            "uv-receipt.toml",
            "uv tool install --force 'celebcollect[faces]'",
            "uv tool install --force celebcollect --with onnxruntime",
        ),
    ],
)
def test_the_command_fits_the_environment(
    tmp_path: Path, left_behind: str | None, faces: str, other: str
) -> None:
    """Pipx and uv leave a file in each environment of theirs."""
    if left_behind:
        (tmp_path / left_behind).touch()

    assert install_command("celebcollect[faces]", tmp_path) == faces
    assert install_command("onnxruntime", tmp_path) == other
