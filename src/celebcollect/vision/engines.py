"""Which face engine is used, and what this machine lacks for it."""

from __future__ import annotations

from celebcollect.config.sections import CleanConfig
from celebcollect.domain.errors import ConfigError
from celebcollect.vision import dlib_engine
from celebcollect.vision.base import EngineSpec
from celebcollect.vision.onnx_engine import onnx_spec


def engine_for(clean: CleanConfig) -> EngineSpec | None:
    """
    Return the engine to use, or None where faces are not looked at.

    Raises:
        ConfigError: `[clean] faces` is `required`, and they cannot be looked at.
    """
    if clean.faces == "off":
        return None
    if clean.detector_model:
        return onnx_spec(clean.detector_model, clean.embedder_model, clean.embedder_input)
    reason = dlib_engine.why_not()
    if reason is None:
        return dlib_engine.DlibSpec()
    if clean.faces == "required":
        raise ConfigError(
            f'[clean] faces is "required", but {reason}',
            hint=f"{dlib_engine.INSTALL}, or set faces to auto or off.",
        )
    return None


def lacking(clean: CleanConfig) -> str | None:
    """Return what has to be installed where faces are looked at if that is possible, or None."""
    if clean.faces != "auto" or clean.detector_model:
        return None
    reason = dlib_engine.why_not()
    return f"{reason} ({dlib_engine.INSTALL})" if reason else None
