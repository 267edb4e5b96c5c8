"""Tiny models, made once for each module that asks for them."""

from __future__ import annotations

import pytest

from vision.onnx_files import need_onnx, tiny_detector, tiny_embedder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A detector and an embedder in files."""
    need_onnx()
    folder = tmp_path_factory.mktemp("models")
    detector, embedder = folder / "detector.onnx", folder / "embedder.onnx"
    return str(tiny_detector(detector)), str(tiny_embedder(embedder))
