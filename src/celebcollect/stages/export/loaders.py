"""How to load an export: code that can be run as it stands, and what other loaders leave out."""

from __future__ import annotations

from celebcollect.pictures.formats import EXTENSIONS
from celebcollect.stages.export.crops import SIDE_PX
from celebcollect.stages.export.selection import ExportSummary

_NUMBERS = (
    "numbers the people of each split by itself: where somebody is missing in one, a number means"
    " two people. The line numbers of `classes.txt` are the same in every split:"
)
_NUMBERED = """from pathlib import Path

folder = Path("THIS FOLDER")
number = {qid: n for n, qid in enumerate((folder / "classes.txt").read_text().split())}
train = [(file, number[file.parent.name]) for file in sorted((folder / "train").glob("*/*"))]"""


def how_to_load(summary: ExportSummary) -> str:
    """Return the part of the data card that tells how to load the set."""
    if summary.layout == "imagefolder":
        code = """from datasets import load_dataset

# The columns are image, qid, name, source, licence, author and so on.
pictures = load_dataset("imagefolder", data_dir="THIS FOLDER")

from torchvision.datasets import ImageFolder
endings = ENDINGS  # without them it skips GIF and AVIF; classes.json has names
train = ImageFolder("THIS FOLDER/train", is_valid_file=lambda path: path.endswith(endings))"""
        code = code.replace("ENDINGS", str(tuple(f".{ending}" for ending in EXTENSIONS.values())))
    else:
        code = """import glob
import webdataset

shards = sorted(glob.glob("THIS FOLDER/train-*.tar"))
train = webdataset.WebDataset(shards, shardshuffle=False).decode("pil").to_tuple("jpg", "json")"""
    text = f"## Load it\n\n```python\n{code}\n```"
    if summary.layout == "imagefolder":
        text += f"\n\n`ImageFolder` {_NUMBERS}\n\n```python\n{_NUMBERED}\n```"
    if summary.layout == "webdataset":
        text += (
            "\n\nThe member of every picture is called `.jpg`, so that all samples have the same"
            " parts; its format is in `format` of the metadata, and decoders look at the bytes."
            " `metadata.jsonl` has the metadata of all samples, with the shard of each."
        )
    if summary.crops:
        text += (
            f"\n\nThese are faces, cut out of the pictures: {SIDE_PX} x {SIDE_PX} pixels, turned so"
            " that the eyes are level, with a quarter of the face's width around it, black beyond"
            " the edge of the picture. `width_px`, `height_px`, `bytes`, `format`, `sha256` and"
            " `phash` are those of the whole picture."
        )
    return text
