"""One ONNX file that takes one picture and gives numbers. The home of onnxruntime.

Whatever the file does otherwise is an error that names it.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from celebcollect.domain.errors import ConfigError
from celebcollect.vision.faster_onnx import faster

HINT = "[clean] detector_model and embedder_model name files."

Numbers = npt.NDArray[np.float64]


class OnnxModel:
    """
    Holds a session, one thread: there is a process for every core.

    Raises:
        ConfigError: The file is no model with one input of (1, 3, height, width) float32.
    """

    def __init__(self, file: str, *, wanted: str) -> None:
        self._file, self._wanted = file, wanted
        self._session = new_session(file)
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
            found = ", ".join(f"{one.type} of {one.shape}" for one in inputs) or "nothing"
            raise self.unfit(f"takes {found}")
        self._input = inputs[0].name
        height, width = inputs[0].shape[2:]
        self.size: tuple[int, int] | None = (
            (height, width) if isinstance(height, int) and isinstance(width, int) else None
        )
        """Height and width that the model wants; None when it takes any."""
        self._outputs = [output.name for output in self._session.get_outputs()]

    def unfit(self, what: str) -> ConfigError:
        """Return the error that says what the model does, and what was wanted."""
        return ConfigError(
            f"the face model {self._file} cannot be used: it {what}", hint=f"Wanted: {self._wanted}"
        )

    def run(self, pixels: npt.NDArray[np.generic]) -> Mapping[str, Numbers]:
        """
        Return what the model says of one picture, (height, width, 3), by the name of the output.

        Outputs come in the model's order.

        Raises:
            ConfigError: It fails, or says something else than numbers.
        """
        tensor = pixels.astype(np.float32).transpose(2, 0, 1)[None]
        try:
            found = self._session.run(self._outputs, {self._input: tensor})
            return {
                name: np.asarray(value, dtype=np.float64)
                for name, value in zip(self._outputs, found, strict=True)
            }
        except _failures() as error:
            raise self.unfit(
                f"fails on a picture of {tensor.shape}: {' '.join(str(error).split())[:200]}"
            ) from error


def new_session(model: str | bytes) -> Any:
    """
    Return an `onnxruntime.InferenceSession` of a file or its bytes, one thread, on the processor.

    Raises:
        ConfigError: It is no model.
    """
    # By name, because it is not there for everybody who checks types.
    onnxruntime: Any = import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Only what ends the process: a failure comes as an exception, and is told once.
    options.log_severity_level = 4
    if isinstance(model, str):
        # Weights beside the file are found there, also when its bytes are passed.
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", str(Path(model).parent)
        )
    rewritten = _rewritten(Path(model)) if isinstance(model, str) else None

    def session(given: str | bytes) -> Any:
        return onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])

    with suppress(*_failures()):
        if rewritten is not None:
            return session(rewritten)
    try:
        return session(model)
    except _failures() as error:
        name = model if isinstance(model, str) else "a face model"
        raise ConfigError(
            f"{name} is no ONNX model that can be run: {str(error)[:120]}", hint=HINT
        ) from error


def _rewritten(file: Path) -> bytes | None:
    """Return the file's bytes rewritten, or None where there is nothing to rewrite."""
    try:
        with (
            file.open("rb") as opened,
            mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
            memoryview(mapped) as data,
        ):
            return faster(data)
    except (OSError, ValueError):
        # Not there, or empty: onnxruntime says it.
        return None


def _failures() -> tuple[type[Exception], ...]:
    # onnxruntime exports its exceptions nowhere else: its documentation imports them from this
    # module ("Common errors with onnxruntime", onnxruntime.ai/docs/api/python). What a version
    # lacks is left out; tests/vision/test_onnx_faults.py fails when all are gone.
    states: Any = import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    names = (
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NoSuchFile",
        "NotImplemented",
        "RuntimeException",
        "EPFail",
    )
    # ValueError, TypeError: what is no number, or a model of several inputs.
    return (
        ValueError,
        TypeError,
        *(getattr(states, name) for name in names if hasattr(states, name)),
    )
