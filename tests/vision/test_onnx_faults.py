"""ONNX files that are no face models, or stop being ones, are told by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from celebcollect.config.sections import CleanConfig
from celebcollect.domain.errors import ConfigError
from celebcollect.vision.alignment import ALIGNED_PX
from celebcollect.vision.onnx_engine import OnnxEngine, onnx_spec
from vision.onnx_files import SIDE, changed, input_of, output_of, tiny_embedder, vector_of


def test_files_that_are_no_such_models_are_told(models: tuple[str, str], tmp_path: Path) -> None:
    """A missing file, garbage and a model of another shape are errors that name the file."""
    garbage = tmp_path / "garbage.onnx"
    garbage.write_bytes(b"this is no model")
    small = tiny_embedder(tmp_path / "small.onnx", side=64)

    for detector, embedder in (
        (str(tmp_path / "none.onnx"), models[1]),
        (str(garbage), models[1]),
        (models[1], models[1]),
        (models[0], str(small)),
    ):
        with pytest.raises(ConfigError, match=r"\.onnx"):
            onnx_spec(detector, embedder, "0..255").load()


def test_one_model_alone_is_refused() -> None:
    """A detector without an embedder would leave half of the work undone."""
    with pytest.raises(ValueError, match="together"):
        CleanConfig(detector_model="a.onnx")


@pytest.mark.parametrize(
    "change",
    [
        output_of("cls_8", lambda values: values[:, :10]),
        output_of("bbox_16", lambda values: np.zeros((1, 64, 5))),
        output_of("bbox_16", lambda values: np.full_like(values, 1e9)),
        output_of("bbox_16", lambda values: np.full_like(values, np.inf)),
        output_of("cls_16", lambda values: np.full_like(values, np.nan)),
        output_of("kps_16", lambda values: np.full_like(values, 1e30)),
        input_of([3, SIDE, SIDE]),
        input_of([1, 1, SIDE, SIDE]),
        input_of([1, 3, 100, 100]),
        lambda model: model.graph.output.pop(),
    ],
    ids=[
        "short",
        "five-numbers",
        "endless",
        "infinite",
        "no-number",
        "far-points",
        "rank",
        "grey",
        "odd-side",
        "no-kps",
    ],
)
def test_a_detector_that_cannot_work_is_told_before_the_first_picture(
    models: tuple[str, str], tmp_path: Path, change: Callable[[Any], None]
) -> None:
    """
    Loading tries the model once.

    What comes out otherwise than it should is an error that names the file.
    """
    file = changed(Path(models[0]), tmp_path / "odd.onnx", change)

    with pytest.raises(ConfigError, match=r"odd\.onnx"):
        onnx_spec(str(file), models[1], "0..255").load()


@pytest.mark.parametrize(
    "change",
    [
        input_of([4, 3, ALIGNED_PX, ALIGNED_PX]),
        input_of([1, 3, ALIGNED_PX, ALIGNED_PX], kind="FLOAT16"),
        vector_of("Identity", ["data"]),
        vector_of("ReduceMax", ["data"]),
        vector_of("Log", ["data"]),
        lambda model: model.graph.input.pop(),
    ],
    ids=["batch", "float16", "map", "one-number", "no-number", "no-input"],
)
def test_an_embedder_that_cannot_work_is_told_before_the_first_picture(
    models: tuple[str, str], tmp_path: Path, change: Callable[[Any], None]
) -> None:
    """As for the detector; only one vector of finite numbers is an embedding."""
    file = changed(Path(models[1]), tmp_path / "odd.onnx", change)

    with pytest.raises(ConfigError, match=r"odd\.onnx"):
        onnx_spec(models[0], str(file), "0..255").load()


def test_a_vector_that_is_none_later_is_told(models: tuple[str, str], tmp_path: Path) -> None:
    """
    A model that passes its trial and divides by nothing on a black face is stopped there.

    Its numbers would be kept.
    """

    def divide(model: Any) -> None:
        from onnx import helper

        model.graph.node[-1].output[0] = "flat"
        model.graph.node.append(helper.make_node("Div", ["flat", "flat"], ["vector"]))

    engine = OnnxEngine(
        onnx_spec(models[0], str(changed(Path(models[1]), tmp_path / "odd.onnx", divide)), "0..255")
    )

    with pytest.raises(ConfigError, match=r"odd\.onnx"):
        engine.embed(np.zeros((112, 112, 3), dtype=np.uint8))
