"""Which face engine is used, what this machine lacks for it, and what a better one would bring."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

from celebcollect.config.sections import CleanConfig
from celebcollect.domain.errors import ConfigError
from celebcollect.vision import dlib_engine
from celebcollect.vision.base import EngineSpec
from celebcollect.vision.model_sets import YUNET_SFACE_SET, own_names
from celebcollect.vision.numbers import EngineNumbers
from celebcollect.vision.onnx_engine import onnx_spec, own_spec, yunet_sface_spec

AUTO, DLIB, BEST = "auto", "dlib", YUNET_SFACE_SET.name


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
    if find_spec("onnxruntime") is not None and YUNET_SFACE_SET.is_here():
        return yunet_sface_spec()
    reason = dlib_engine.why_not()
    if reason is None:
        return dlib_engine.DlibSpec()
    if clean.faces == "required":
        raise ConfigError(
            f'[clean] faces is "required", but {reason}',
            hint=f"{dlib_engine.INSTALL}, or set faces to auto or off.",
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
    return f"{dlib_engine.why_not()} ({dlib_engine.INSTALL})"


def better(clean: CleanConfig) -> str | None:
    """
    Return what a better engine than the one that `auto` takes would bring and how to get it.

    None where there is none, or where somebody has chosen: an engine, or to look at no faces.
    """
    if clean.faces == "off" or clean.detector_model or clean.engine != AUTO:
        return None
    chosen = engine_for(clean)
    if chosen is None or chosen.name != DLIB:
        return None
    return (
        "A better face engine than dlib can be had: yunet-sface kept 96.7 % of the right pictures"
        " where dlib kept 90.5 %, of East Asian people 78.6 and 69.8 % (526 photographs of 49"
        " people, docs/faces.md). Its models have terms of their own, which are told first:"
        " celebcollect models get yunet-sface"
    )


def _named(name: str) -> EngineSpec:
    if name == DLIB:
        reason = dlib_engine.why_not()
        if reason is not None:
            raise ConfigError(
                f'[clean] engine is "dlib", but {reason}', hint=f"{dlib_engine.INSTALL}"
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
