"""Reading the configuration.

The file, the environment above it, and one line for whatever is wrong.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from celebcollect.config import example as written
from celebcollect.config import file as configfile
from celebcollect.config.file import changed
from celebcollect.configuration import config_model
from celebcollect.domain.errors import ConfigError

ROOT = Path(__file__).parents[1]

Config: Any = config_model()


def load(file: Path | None = None) -> Any:
    return configfile.load(Config, file)


def example() -> str:
    return written.example(Config)


def write(folder: Path, text: str) -> Path:
    file = folder / "c.toml"
    file.write_text(text)
    return file


def test_the_example_file_is_the_defaults() -> None:
    """`config.example.toml` loads, equals the defaults and is what `init` writes."""
    text = (ROOT / "config.example.toml").read_text()

    assert Config(**tomllib.loads(text)) == Config()
    assert text == example()


def test_the_example_names_every_key_with_a_sentence() -> None:
    """No key is left out, and each is explained on the line above."""
    lines = example().splitlines()

    for section, field in Config.model_fields.items():
        keys = (
            type(field.default).model_fields
            if hasattr(type(field.default), "model_fields")
            else {section: field}
        )
        for key in keys:
            at = next(
                n for n, line in enumerate(lines) if line.removeprefix("# ").startswith(f"{key} = ")
            )
            assert lines[at - 1].startswith("# ")
            assert len(lines[at - 1]) > 10, key


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value of the environment replaces the file's, its neighbours stay."""
    file = write(
        tmp_path,
        '[tmdb]\ntoken = "file"\nbase_url = "http://127.0.0.1:1/3"\n[run]\ntarget_images = 5\n',
    )
    monkeypatch.setenv("CELEBCOLLECT_TMDB__TOKEN", "environment")
    monkeypatch.setenv("CELEBCOLLECT_RUN__TARGET_IMAGES", "7")

    config = load(file)

    assert config.tmdb.token.get_secret_value() == "environment"
    assert config.tmdb.base_url == "http://127.0.0.1:1/3"
    assert config.run.target_images == 7


@pytest.mark.parametrize("code", [0, 3])
def test_the_exit_code_of_a_second_run_can_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """One of two numbers, which the environment can only quote."""
    monkeypatch.setenv("CELEBCOLLECT_RUN__BUSY_EXIT_CODE", str(code))

    assert load(None).run.busy_exit_code == code


def test_the_file_is_looked_for_in_this_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--config, $CELEBCOLLECT_CONFIG, ./config.toml, the user's folder, then the defaults."""
    for name, number in (
        ("named", 1),
        ("environment", 2),
        ("here/config", 3),
        ("user/celebcollect/config", 4),
    ):
        file = tmp_path / f"{name}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"[run]\nmax_rounds = {number}\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("CELEBCOLLECT_CONFIG", str(tmp_path / "environment.toml"))
    monkeypatch.chdir(tmp_path / "here")

    assert load(tmp_path / "named.toml").run.max_rounds == 1
    assert load().run.max_rounds == 2
    monkeypatch.delenv("CELEBCOLLECT_CONFIG")
    assert load().run.max_rounds == 3
    monkeypatch.chdir(tmp_path)
    assert load().run.max_rounds == 4
    (tmp_path / "user/celebcollect/config.toml").unlink()
    assert load().run.max_rounds == Config().run.max_rounds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[run]\ntarget = 5\n", "run.target: unknown key"),
        ("dada_dir = 'x'\n", "dada_dir: unknown key"),
        ("[runn]\n", "runn: unknown key"),
        ('[run]\ntarget_images = "many"\n', "run.target_images"),
        ("[run]\ntarget_images = 0\n", "run.target_images"),
        ("[run\n", "not valid TOML"),
        ("[run]\nmax_rounds = 1\nmax_rounds = 2\n", "not valid TOML"),
        ('[topics]\ngoogle = "a"\ntmdb = "a"\n', "name of its own"),
        ('[topics]\ngoogle = "a b"\n', "topics.google"),
        ('[wikidata]\nendpoint = "ftp://example.org"\n', "wikidata.endpoint"),
        ('[wikidata]\nendpoint = "http://[::1"\n', "wikidata.endpoint"),
        ("data_dir = 5\n", "data_dir"),
        ('[http]\ncontact = "a\\nb"\n', "http.contact"),
    ],
)
def test_a_wrong_file_is_told_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    """The error names the file and the key."""
    file = write(tmp_path, text)

    with pytest.raises(ConfigError) as raised:
        load(file)

    assert said in raised.value.message
    assert str(file) in raised.value.message
    assert "\n" not in raised.value.message
    assert raised.value.exit_code == 2


def test_a_missing_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever named a file that is not there is told which, and who named it."""
    with pytest.raises(ConfigError, match=r"nowhere\.toml.*--config"):
        load(tmp_path / "nowhere.toml")
    monkeypatch.setenv("CELEBCOLLECT_CONFIG", str(tmp_path / "gone.toml"))
    with pytest.raises(ConfigError, match=r"gone\.toml.*CELEBCOLLECT_CONFIG"):
        load()


def test_no_error_repeats_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token or password of the wrong type is not printed."""
    file = write(tmp_path, '[tmdb]\ntoken = ["hunter2"]\n[mongo]\nuri = {password = "hunter2"}\n')

    with pytest.raises(ConfigError) as raised:
        load(file)

    assert "hunter2" not in f"{raised.value!r} {raised.value.__cause__!r} {raised.value.message}"
    assert "hunter2" not in repr(
        Config(tmdb={"token": "hunter2"}, kafka={"client": {"sasl.password": "hunter2"}})
    )


def test_values_of_the_command_line_are_checked_too() -> None:
    """An option beyond its range is told by its name, a good one replaces the value."""
    config = Config()

    with pytest.raises(ConfigError, match="--min-sitelinks"):
        changed(config, {"wikidata": {"min_sitelinks": -1}})

    assert changed(config, {"wikidata": {"limit": 3}}).section("wikidata").limit == 3
    assert config.wikidata.limit == 200


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[run]\ntarget_images = "20"\n', "run.target_images"),
        ("[run]\ntarget_images = true\n", "run.target_images"),
        ("[google]\nheadless = 1\n", "google.headless"),
        ("[clean]\nidentity_threshold = inf\n", "clean.identity_threshold"),
        ("[kafka]\ntimeout_s = nan\n", "kafka.timeout_s"),
        ('data_dir = "a\\u0000b"\n', "data_dir"),
        ('[topics]\ntmdb = "urls.dead"\n', "names that end with .dead"),
        (f'[topics]\ntmdb = "{"t" * 245}"\n', "244 characters"),
    ],
)
def test_a_value_that_only_looks_right_is_told(tmp_path: Path, text: str, said: str) -> None:
    """A file's numbers are numbers, finite ones, and no topic is another one's dead letters."""
    with pytest.raises(ConfigError, match=said):
        load(write(tmp_path, text))


def test_a_file_may_say_dates_both_ways_and_begin_with_a_mark(tmp_path: Path) -> None:
    """A date with or without quotes, Windows' line ends and mark, dotted names of librdkafka."""
    text = (
        '[wikidata]\nborn_after = {}\noccupations = ["Q33999"]\n[kafka.client]\nsasl.mechanism ='
        ' "PLAIN"\n"socket.timeout.ms" = 5\n'
    )

    for born_after in ('"1960-02-03"', "1960-02-03"):
        config = load(write(tmp_path, "\ufeff" + text.format(born_after).replace("\n", "\r\n")))

        assert str(config.wikidata.born_after) == "1960-02-03"
        assert config.kafka.client == {"sasl.mechanism": "PLAIN", "socket.timeout.ms": 5}


def test_the_home_folder_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~/pictures` in a file is not a folder named `~` here."""
    monkeypatch.setenv("HOME", str(tmp_path))

    assert load(write(tmp_path, 'data_dir = "~/pictures"\n')).data_dir == tmp_path / "pictures"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CELEBCOLLECT_TMBD__TOKEN", "hunter2"),
        ("CELEBCOLLECT_TMDB__TOKNE", "hunter2"),
        ("CELEBCOLLECT_RUN__MAX_ROUNDS", "many"),
        ("CELEBCOLLECT_WIKIDATA__OCCUPATIONS", ""),
        ("celebcollect_run__max_rounds", "0"),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """
    A misspelt section or key, or a wrong value in the environment, is never passed over.

    It is not blamed on the file.
    """
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigError, match=name.upper()) as raised:
        load(write(tmp_path, "[run]\nmax_rounds = 2\n"))

    assert "hunter2" not in raised.value.message
    assert "c.toml" not in raised.value.message


def test_a_list_that_is_no_json_is_told_with_its_section(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists in the environment are JSON."""
    monkeypatch.setenv("CELEBCOLLECT_WIKIDATA__OCCUPATIONS", "Q33999")

    with pytest.raises(ConfigError, match="CELEBCOLLECT_WIKIDATA"):
        load()
