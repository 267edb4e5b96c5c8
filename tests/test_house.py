"""The house's own rules: each thing has one name and one home, and no part grows too large.

What does not keep a rule yet is named here; the lists only shrink, and no new name gets in.
"""

from __future__ import annotations

import re
from itertools import pairwise

import house
from celebcollect.config.example import example
from celebcollect.configuration import config_model
from celebcollect.sources.registry import installed

SHARED_NAMES: frozenset[str] = frozenset(["Snapshot"])
LARGE_FILES: frozenset[str] = frozenset()
LONG_FUNCTIONS: frozenset[str] = frozenset()
CIRCLES: tuple[set[str], ...] = ()
PUBLIC_ALL_THE_SAME = {
    "_exit": "os: ends a process at once",
    "_thread": "the standard library: interrupt_main",
    "_value_": "enum: the value of a member",
}
"""Names that begin with an underscore and that their library documents all the same. So are the
error codes of `KafkaError`, in capitals."""
OF_THE_REPOSITORY = re.compile(
    r"(?<![\w/.])(docs|tests|scripts|benchmarks|src|\.ci)/\w|CONTRIBUTING|CHANGELOG|Makefile|"
    r"README|config\.example\.toml|`make "
)
"""What is in the repository and not in what people install."""
OWN_README = "stages/export/"
"""An export has a README.md, its data card."""
FACTS_OF_WIKIDATA = re.compile(r"tmdb_ids|tmdb/\{number\}|TMDB or IMDb id|commons_category")
"""What Wikidata says of a person and where: keys of the catalogue, and words for them."""


def test_no_two_public_classes_share_a_name() -> None:
    """Whoever searches a name finds one class."""
    shared = {name: at for name, at in house.public_classes().items() if len(at) > 1}

    assert shared.keys() <= SHARED_NAMES, shared


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Neither between rooms nor inside one, imports inside functions included."""
    found = [some for some in house.circles(house.imports_of_own()) if some not in CIRCLES]

    assert found == []


def test_a_circle_would_be_noticed() -> None:
    """The search finds a circle of three, and no more than that."""
    ring = ["a", "b", "c", "a"]
    arrows = {one: {other} for one, other in pairwise(ring)} | {"d": {"a"}}

    assert house.circles(arrows) == [{"a", "b", "c"}]


def test_no_file_is_large() -> None:
    """At most 250 lines: one concept each."""
    large = {
        path: lines
        for path in house.trees()
        if (lines := len((house.SOURCE / path).read_text(encoding="utf-8").splitlines())) > 250
    }

    assert large.keys() <= LARGE_FILES, large


def test_no_function_is_long() -> None:
    """At most 50 lines, signature and docstring included."""
    found = house.long_functions(50)

    assert found.keys() <= LONG_FUNCTIONS, found


def test_private_parts_of_others_have_a_reason() -> None:
    """What a library keeps to itself may change without notice: a comment beside it says why."""
    bare = {
        f"{path} {name}"
        for path, line, name in house.private_parts_of_others()
        if not (path.startswith("bus/kafka/") and name.isupper())
        and name not in PUBLIC_ALL_THE_SAME
        and not house.has_comment(path, line)
    }

    assert bare == set()


# Wikidata is no source among others: its items are the identifiers of people in records, folders
# and messages, and its command and section are promised by name. A registry with one entry would
# offer a choice that nothing else leaves. So its name may be said; what it is made of is put
# together in these files, and all others know `sources.base.PeopleSource`.
PEOPLE_ARE_WIRED_IN = {"app.py", "configuration.py", "explain.py"}


def test_sources_are_imported_where_they_are_wired_only() -> None:
    """Sources of pictures by their specifications alone, the source of people in three files."""
    packages = {path.name for path in (house.SOURCE / "sources").iterdir() if path.is_dir()}
    importers = {
        (path, name)
        for path, tree in house.trees().items()
        if path.partition("/")[0] not in ("sources", "demo")
        for module, part in house.imported(tree)
        for name in f"{module}.{part}".removeprefix("celebcollect.sources.").split(".")[:1]
        if module.startswith("celebcollect.sources") and name in packages
    }

    assert importers == {(path, "wikidata") for path in PEOPLE_ARE_WIRED_IN}


def test_no_module_outside_its_room_names_a_source() -> None:
    """Not in code, text or comment: what is said of one source belongs to its specification."""
    words = {word for spec in installed() for word in (spec.name, *spec.title.split())}
    names = re.compile(rf"(?<![a-z])({'|'.join(words - {'Images', 'Wikimedia'})})(?![a-z])", re.I)
    topics = re.compile("|".join(rf"\b{spec.topic}\b" for spec in installed() if spec.order > 10))
    found = [
        f"{file.relative_to(house.SOURCE)}:{number}: {line.strip()}"
        for file in sorted(house.SOURCE.rglob("*.py"))
        if file.relative_to(house.SOURCE).parts[0] not in ("sources", "demo")
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if names.search(FACTS_OF_WIKIDATA.sub("", line)) or topics.search(line)
    ]

    assert found == []


def test_nobody_is_sent_to_a_file_that_is_not_installed() -> None:
    """Messages, hints, help and the example configuration name a command or an address."""
    texts = [*house.shown_texts(), ("config.example.toml", example(config_model()))]
    found = {
        (path, text[:80])
        for path, text in texts
        if (named := OF_THE_REPOSITORY.search(text))
        and not (named[0] == "README" and path.startswith(OWN_README))
    }

    assert found == set()
