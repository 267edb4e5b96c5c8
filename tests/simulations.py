"""The simulations that the benchmarks print, for tests that hold what they promise."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

_IN_ORDER = ("fair_people", "fair_albums", "fair_identify", "fair_choice", "fair_folds")


def fairness() -> dict[str, ModuleType]:
    """
    Return the modules of the benchmarks on fairness, by name.

    Not by a path to import from: there, other benchmarks would stand before folders of tests that
    have the same name.
    """
    return {name: module_of(name) for name in _IN_ORDER}


def module_of(name: str) -> ModuleType:
    """Return a module of the benchmarks, whose own imports must be there already."""
    if name not in sys.modules:
        file = Path(__file__).parents[1] / "benchmarks" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
