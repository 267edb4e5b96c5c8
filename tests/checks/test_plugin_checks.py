"""Checks of other packages: they take part like the built-in ones, and broken ones are told."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from celebcollect.app import App
from celebcollect.checks import build_checks, fingerprint, registry
from celebcollect.config.example import example
from celebcollect.config.file import load
from celebcollect.config.sections import CleanConfig, StoreConfig
from celebcollect.configuration import config_model
from celebcollect.explain import known_reasons, meaning

BUILT_IN = ["readable", "size", "payload", "quality", "shared", "duplicate"]

CHECK = '''
from celebcollect.checks.base import CheckSpec, Rejection
from celebcollect.config.fields import Section
from celebcollect.domain.reasons import Reason

class OddReason(Reason):
    ODD_PICTURE = "odd_picture", "clean", "The picture is odd."

class OddSettings(Section):
    """`[odd]`: what is odd."""

    most_px: int = 7
    """Widest picture that is odd."""

class Odd:
    name = "odd"
    def __init__(self, most_px): self._most_px = most_px
    def fingerprint(self): return f"1 most_px={self._most_px}"
    def reject(self, pictures):
        for picture in pictures:
            yield Rejection(picture.image.id, OddReason.ODD_PICTURE)

def build(settings): return Odd(settings.own_as(OddSettings).most_px)

SPEC = CheckSpec(
    name="odd", order=33, build=build, reasons=(OddReason,), settings=lambda: OddSettings,
)
'''


def forget_checks() -> None:
    remembered = (registry.installed_checks, registry.own_sections, registry._warn)
    for function in (*remembered, config_model):
        function.cache_clear()


Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return what puts a package of one module beside celebcollect, as an installer would."""
    modules: list[str] = []

    def put(package: str, code: str, *lines: str) -> None:
        (tmp_path / f"{package}.py").write_text(code, encoding="utf-8")
        metadata = tmp_path / f"{package}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Name: {package}\nVersion: 1.0\n", encoding="utf-8")
        declared = "\n".join(("[celebcollect.checks]", *lines))
        (metadata / "entry_points.txt").write_text(declared, encoding="utf-8")
        modules.append(package)
        importlib.invalidate_caches()
        forget_checks()

    monkeypatch.syspath_prepend(tmp_path)
    yield put
    for module in modules:
        sys.modules.pop(module, None)
    forget_checks()


def names() -> list[str]:
    return [check.name for check in build_checks(CleanConfig(faces="off"), StoreConfig())]


def test_a_check_of_another_package_takes_its_place_among_the_others(install: Install) -> None:
    """It is asked in its order, and nothing of celebcollect names it."""
    install("odd_pictures", CHECK, "odd = odd_pictures:SPEC")

    assert names() == [*BUILT_IN[:3], "odd", *BUILT_IN[3:]]


def test_its_settings_change_what_cleaning_depends_on(install: Install) -> None:
    """Pictures are judged anew when a check comes, and when its section changes."""
    clean, store = CleanConfig(faces="off"), StoreConfig()
    before = fingerprint(build_checks(clean, store))
    install("odd_pictures", CHECK, "odd = odd_pictures:SPEC")
    other = registry.own_sections()["odd"]().model_validate({"most_px": 9})

    prints = {
        before,
        fingerprint(build_checks(clean, store)),
        fingerprint(build_checks(clean, store, {"odd": other})),
    }

    assert len(prints) == 3


def test_its_section_is_a_part_of_the_configuration(install: Install, tmp_path: Path) -> None:
    """`init` writes it, the file and the environment set it, and the check is built from it."""
    install("odd_pictures", CHECK, "odd = odd_pictures:SPEC")
    file = tmp_path / "config.toml"
    file.write_text(f'data_dir = "{tmp_path}"\n[clean]\nfaces = "off"\n[odd]\nmost_px = 9\n')

    written = example(config_model())
    with App(load(config_model(), file)) as app:
        (odd,) = [check for check in app.checks if check.name == "odd"]

    assert "[odd]\n# Widest picture that is odd.\nmost_px = 7\n" in written
    assert odd.fingerprint() == "1 most_px=9"


def test_a_section_that_cannot_be_made_leaves_the_check_without_one(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    """One line says so, and the configuration is made all the same."""
    code = CHECK.replace("lambda: OddSettings", "lambda: 1 / 0")
    install("odd_pictures", code, "odd = odd_pictures:SPEC")

    assert "odd" not in config_model().model_fields

    (record,) = caplog.records
    assert record.getMessage().startswith("the check odd goes without a section of its own: ")


def test_the_section_of_a_broken_check_may_stay_in_the_file(
    install: Install, tmp_path: Path
) -> None:
    """What breaks with the next version of a package does not stop the program."""
    install("odd_pictures", "import no_such_module_here", "odd = odd_pictures:SPEC")
    file = tmp_path / "config.toml"
    file.write_text(f'data_dir = "{tmp_path}"\n[clean]\nfaces = "off"\n[odd]\nmost_px = 9\n')

    with App(load(config_model(), file)) as app:
        assert [check.name for check in app.checks] == BUILT_IN
    assert "[odd]" not in example(config_model())


def test_its_reasons_are_explained_like_all_others(install: Install) -> None:
    """The gallery, `explain` and the documentation tell what its words mean."""
    install("odd_pictures", CHECK, "odd = odd_pictures:SPEC")
    known_reasons.cache_clear()

    assert meaning("odd_picture") == "The picture is odd."

    known_reasons.cache_clear()


@pytest.mark.parametrize(
    ("code", "line", "told"),
    [
        ("import no_such_module_here", "bad = bad_check:SPEC", "No module named"),
        ("import sys; sys.exit(3)", "bad = bad_check:SPEC", "SystemExit: 3"),
        ("1 +", "bad = bad_check:SPEC", "SyntaxError"),
        ("", "bad = bad_check:SPEC", "no attribute 'SPEC'"),
        ("SPEC = 5", "bad = bad_check:SPEC", "bad_check:SPEC is no CheckSpec"),
        (CHECK, "size = bad_check:SPEC", "calls itself 'odd'"),
        (CHECK.replace('"odd"', '"size"'), "size = bad_check:SPEC", "one of this name already"),
        (CHECK, "Odd-One = bad_check:SPEC", "not its name here"),
        (CHECK.replace("order=33", 'order="33"'), "odd = bad_check:SPEC", "order is no int"),
        (CHECK.replace("build=build", "build=None"), "odd = bad_check:SPEC", "build cannot be"),
    ],
)
def test_a_broken_check_is_one_line_and_the_others_go_on(
    install: Install, caplog: pytest.LogCaptureFixture, code: str, line: str, told: str
) -> None:
    """The line names check, package and cause; there is no traceback and no end of the program."""
    install("bad_check", code, line)
    caplog.set_level(logging.INFO)

    assert names() == BUILT_IN
    names()

    (record,) = caplog.records
    assert told in record.getMessage()
    assert "of package bad-check is left out" in record.getMessage()
    assert "\n" not in record.getMessage()
    assert not record.exc_info


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (CHECK.replace("def build(settings): ", "def build(settings): 1 / 0; "), "ZeroDivision"),
        (CHECK.replace('name = "odd"', 'name = "even"'), "it calls itself 'even'"),
        (CHECK.replace("settings=", "lacks=lambda _: 'no eyes', settings="), "no eyes"),
    ],
)
def test_a_check_that_cannot_be_built_is_left_out(
    install: Install, caplog: pytest.LogCaptureFixture, code: str, told: str
) -> None:
    """What a machine lacks is told in the same way as a fault of the check."""
    install("odd_pictures", code, "odd = odd_pictures:SPEC")
    caplog.set_level(logging.INFO)

    assert names() == BUILT_IN
    (record,) = caplog.records
    assert record.getMessage().startswith("cleaning without the check of odd: ")
    assert told in record.getMessage()
