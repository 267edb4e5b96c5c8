"""Which face engine is used, and what this machine lacks for it."""

from __future__ import annotations

from dataclasses import replace

from celebcollect.config.sections import CleanConfig
from celebcollect.domain.errors import ConfigError
from celebcollect.vision import dlib_engine, dlib_package
from celebcollect.vision.base import EngineSpec
from celebcollect.vision.better_engine import AUTO, DLIB, is_best_here
from celebcollect.vision.model_sets import YUNET_SFACE_SET, own_names
from celebcollect.vision.numbers import EngineNumbers
from celebcollect.vision.onnx_engine import onnx_spec, own_spec, yunet_sface_spec


def engine_for(clean: CleanConfig) -> EngineSpec | None:
    """
    Return the engine to use, or None where faces are not looked at.

    Raises:
        ConfigError: The engine that is asked for cannot be used here.
    """
    if clean.faces == "off":
        return None
    if clean.detector_model:
        return onnx_spec(clean.detector_model, clean.embedder_model, clean.embedder_input)
    if clean.engine != AUTO:
        return _named(clean.engine)
    if is_best_here():
        return yunet_sface_spec()
    reason = dlib_package.why_not()
    if reason is None:
        return dlib_engine.DlibSpec()
    if clean.faces == "required":
        raise ConfigError(
            f'[clean] faces is "required", but {reason}',
            hint=f"{dlib_package.INSTALL}, or set faces to auto or off.",
        )
    return None


def numbers_for(clean: CleanConfig, spec: EngineSpec) -> EngineNumbers:
    """Return the engine's own numbers, with what the configuration says in their place."""
    numbers = spec.numbers
    if clean.min_face_px is not None:
        numbers = replace(numbers, smallest_face_px=clean.min_face_px)
    if clean.identity_threshold is not None:
        likeness = replace(numbers.likeness, limit=clean.identity_threshold)
        numbers = replace(numbers, likeness=likeness)
    return numbers


def lacking(clean: CleanConfig) -> str | None:
    """Return what has to be installed where faces are looked at if that is possible, or None."""
    if clean.faces != "auto" or clean.detector_model or engine_for(clean) is not None:
        return None
    return f"{dlib_package.why_not()} ({dlib_package.INSTALL})"


def _named(name: str) -> EngineSpec:
    if name == DLIB:
        reason = dlib_package.why_not()
        if reason is not None:
            raise ConfigError(
                f'[clean] engine is "dlib", but {reason}', hint=f"{dlib_package.INSTALL}"
            )
        return dlib_engine.DlibSpec()
    if name == YUNET_SFACE_SET.name:
        if not YUNET_SFACE_SET.is_here():
            raise ConfigError(
                f'[clean] engine is "{name}", but its files are not here',
                hint=f"celebcollect models get {name}",
            )
        return yunet_sface_spec()
    if name in own_names():
        return own_spec(name)
    known = ", ".join((AUTO, DLIB, YUNET_SFACE_SET.name, *own_names()))
    raise ConfigError(
        f'[clean] engine is "{name}", which is not here',
        hint=f"Engines that can be named are {known}; `celebcollect models list` says more.",
    )
