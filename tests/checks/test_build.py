"""Building the checks from a configuration."""

from __future__ import annotations

import logging
from typing import Literal

import pytest

from celebcollect.checks import build_checks
from celebcollect.config.sections import CleanConfig, StoreConfig
from celebcollect.domain.errors import ConfigError


def names(faces: Literal["auto", "off", "required"]) -> list[str]:
    return [check.name for check in build_checks(CleanConfig(faces=faces), StoreConfig())]


def test_checks_are_asked_in_order_the_cheap_ones_first() -> None:
    """What the file says comes before what the set says."""
    assert names("off") == ["readable", "size", "payload", "quality", "shared", "duplicate"]


def test_faces_that_are_required_and_cannot_be_checked_are_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the extra, `required` names the line that installs it."""
    monkeypatch.setattr("celebcollect.vision.dlib_package.find_spec", lambda name: None)

    with pytest.raises(ConfigError) as caught:
        names("required")

    assert "pip install 'celebcollect[faces]'" in caught.value.hint


def test_faces_that_cannot_be_checked_are_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the extra, `auto` goes on without faces and says so; `off` is silent."""
    monkeypatch.setattr("celebcollect.vision.dlib_package.find_spec", lambda name: None)
    caplog.set_level(logging.INFO)

    assert names("auto") == names("off")
    assert len(caplog.records) == 1
    assert "celebcollect[faces]" in caplog.text
