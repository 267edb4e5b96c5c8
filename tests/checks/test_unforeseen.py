"""An exception over one picture is a reason of that picture, and the others are cleaned."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from celebcollect.checks import payload, quality
from celebcollect.checks.base import CheckSettings
from celebcollect.config.sections import CleanConfig, StoreConfig
from celebcollect.domain.errors import StorageError
from checks.check_pictures import picture_of, rejections
from checks.payloads import encoded

SETTINGS = CheckSettings(CleanConfig(min_contrast=0, min_sharpness=0), StoreConfig())


@pytest.mark.parametrize(
    ("module", "function", "reason"),
    [(payload, "search", "unsearchable"), (quality, "look", "corrupt_file")],
)
def test_an_exception_over_one_picture_is_its_reason(
    module: object,
    function: str,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged with its traceback, and the pictures before and behind it are judged."""
    build = payload.build if module is payload else quality.build
    pictures = [picture_of(encoded("jpeg", quality=n), tmp_path) for n in (70, 80, 90)]
    calls, real = [], getattr(module, function)

    def failing_once(*arguments: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise OverflowError("cannot convert float\ninfinity")
        return real(*arguments)

    monkeypatch.setattr(module, function, failing_once)
    with caplog.at_level(logging.WARNING):
        found = rejections(build(SETTINGS), pictures)

    assert {id_: str(said.reason) for id_, said in found.items()} == {pictures[1].image.id: reason}
    assert found[pictures[1].image.id].detail == "OverflowError: cannot convert float infinity"
    assert "Traceback" in caplog.text
    assert len(calls) == 3


@pytest.mark.parametrize("error", [StorageError("the disk", hint="look"), MemoryError()])
def test_trouble_with_the_world_is_no_reason_of_a_picture(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that refuses stops the cleaning, and no picture is thrown out for it."""

    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr(payload, "search", failing)

    with pytest.raises(type(error)):
        rejections(payload.build(SETTINGS), [picture_of(encoded("jpeg"), tmp_path)])
