"""Pictures that browsers show are read, whatever is odd about what lies beside their pixels."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from celebcollect.checks.quality import look
from celebcollect.pictures.decode import inspect
from celebcollect.pictures.file import PictureFile
from celebcollect.pictures.orientation import upright
from picture_web import picture
from pictures.refusals import MAX_PIXELS, why

NOISE = np.random.default_rng(5).bytes(1_500_000)


def chunk(name: bytes, body: bytes, *, wrong: bool = False) -> bytes:
    """Build a chunk of a PNG, its checksum wrong where that is wanted."""
    checksum = zlib.crc32(name + body) ^ (1 if wrong else 0)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)


def with_chunk(packed: bytes, data: bytes = b"") -> bytes:
    """Put a chunk behind the head of a PNG."""
    data = data or picture(1, (300, 200), "PNG")
    return data[:33] + packed + data[33:]


@pytest.mark.parametrize("name", [b"tEXt", b"gAMA", b"pHYs", b"tIME", b"iCCP", b"eXIf", b"acTL"])
def test_a_wrong_checksum_beside_the_pixels_is_forgiven(name: bytes) -> None:
    """The chunk counts for nothing; the pixels are those of the same file without it."""
    data = with_chunk(chunk(name, b"Comment\0abcdefgh", wrong=True))

    assert inspect(data, max_pixels=MAX_PIXELS) == inspect(
        picture(1, (300, 200), "PNG"), max_pixels=MAX_PIXELS
    )


def test_a_wrong_checksum_of_the_pixels_is_not_forgiven() -> None:
    """What the picture consists of must be whole."""
    whole = picture(1, (300, 200), "PNG")
    at = whole.index(b"IDAT") + 40
    assert why(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :]) in ("corrupt", "truncated")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (b"iCCP", b"profile\0\0" + zlib.compress(NOISE)),
        (b"zTXt", b"Comment\0\0" + zlib.compress(NOISE)),
        (b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(NOISE)),
        (b"iCCP", b"profile\0\0no zlib at all"),
        (b"tEXt", b""),
        (b"pHYs", b"\0"),
        (b"iTXt", b"\0\1"),
        (b"eXIf", b"II"),
        (b"acTL", b"\0"),
        (b"fcTL", b"\0" * 40),
    ],
)
def test_large_or_broken_metadata_are_no_fault_of_the_picture(name: bytes, body: bytes) -> None:
    """A profile of more than a megabyte, and chunks too short for what they are."""
    assert inspect(with_chunk(chunk(name, body)), max_pixels=MAX_PIXELS).format == "png"


def test_metadata_have_one_budget_for_all() -> None:
    """Many pieces, each of them allowed, are a bomb together."""
    piece = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 4_000_000))

    assert inspect(with_chunk(piece * 4), max_pixels=MAX_PIXELS).format == "png"
    assert why(with_chunk(piece * 5)) == "corrupt"


JPEGS: list[dict[str, object]] = [
    {},
    {"progressive": True},
    {"restart_marker_blocks": 3},
    {"restart_marker_rows": 1, "subsampling": 0},
]


@pytest.mark.parametrize("options", JPEGS, ids=str)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_may_lack_its_end_and_no_more(mode: str, options: dict[str, object]) -> None:
    """Without the end marker it is read; without a twentieth of its bytes it is `truncated`."""
    whole = picture(1, (400, 300), "JPEG", mode, **options)

    seen = inspect(whole[:-2], max_pixels=MAX_PIXELS)
    assert seen == inspect(whole, max_pixels=MAX_PIXELS)
    assert inspect(whole[:-1], max_pixels=MAX_PIXELS) == seen
    for share in (0.95, 0.9, 0.6):
        assert why(whole[: int(len(whole) * share)]) == "truncated"


@pytest.mark.parametrize("options", JPEGS, ids=str)
@pytest.mark.parametrize("colour", [0, 128])
def test_what_is_filled_in_is_told_from_the_picture(
    colour: int, options: dict[str, object]
) -> None:
    """A picture may end in grey or black of its own; what its decoder makes up is missing."""
    drawn = Pillow.open(io.BytesIO(picture(1, (320, 450), "PNG"))).convert("RGB")
    drawn.paste((colour, colour, colour), (0, 200, 320, 450))
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=85, **options)
    whole = out.getvalue()

    assert inspect(whole[:-2], max_pixels=MAX_PIXELS) == inspect(whole, max_pixels=MAX_PIXELS)
    assert why(whole[: whole.rindex(b"\xff\xda") + (len(whole) // 20)]) == "truncated"


@pytest.mark.parametrize("progressive", [False, True])
def test_a_strip_of_a_large_jpeg_is_more_than_a_corner(progressive: bool) -> None:
    """A few hundred blocks of the last row are a small share and to be seen."""
    rng = np.random.default_rng(1)
    grain = rng.integers(90, 170, (1500, 1200), dtype=np.uint8)
    out = io.BytesIO()
    Pillow.fromarray(grain).save(out, "JPEG", quality=60, progressive=progressive)
    whole = out.getvalue()

    assert inspect(whole[:-12], max_pixels=MAX_PIXELS) == inspect(whole, max_pixels=MAX_PIXELS)
    assert why(whole[:-2000]) == "truncated"


def test_a_progressive_jpeg_without_its_last_scans_is_truncated() -> None:
    """It looks like a picture, and more was to come."""
    whole = picture(1, (400, 300), progressive=True)
    last = whole.rindex(b"\xff\xda")
    assert why(whole[:last]) == "truncated"


def sixteen_bits(nothing: int | None) -> bytes:
    """Return a grey PNG of 16 bits, in which one value may be transparent."""
    values = np.linspace(2000, 60_000, 200 * 300).reshape(200, 300).astype(np.uint16)
    values[:50] = 777
    out = io.BytesIO()
    Pillow.fromarray(values).save(out, "PNG")
    told = b"" if nothing is None else chunk(b"tRNS", struct.pack(">H", nothing))
    return with_chunk(told, out.getvalue())


def test_sixteen_bits_with_transparency_show_their_contrast(tmp_path: Path) -> None:
    """Neither all white nor with what is transparent in black: the rest is the same."""
    seen = []
    for nothing in (None, 777):
        file = tmp_path / f"{nothing}.png"
        file.write_bytes(sixteen_bits(nothing))
        seen.append(upright(PictureFile("1", file, 300, 200), 300))

    opaque, transparent = (np.asarray(pixels) for pixels in seen)
    assert look(seen[1])["contrast"] == 187.0
    assert (opaque[50:] == transparent[50:]).all()
    assert (transparent[:50] == 255).all()
    assert (opaque[:50] == 3).all()


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_what_is_transparent_is_white_in_bands_too(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture that is worked on piece by piece comes out as the whole would."""
    drawn = Pillow.open(io.BytesIO(picture(1, (300, 200), "PNG"))).convert("RGBA")
    drawn.putalpha(Pillow.linear_gradient("L").resize((300, 200)))
    out = io.BytesIO()
    (drawn.quantize(64) if mode == "P" else drawn.convert(mode)).save(out, "PNG")
    file = PictureFile("1", tmp_path / "picture", 300, 200)
    file.path.write_bytes(out.getvalue())

    whole = upright(file, 300)
    monkeypatch.setattr("celebcollect.pictures.flat._BAND_PIXELS", 7 * 300 + 1)
    banded = upright(file, 300)

    assert whole.tobytes() == banded.tobytes()
    assert np.asarray(whole)[0].min() >= (200 if mode == "P" else 255)


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("JPEG", "CMYK", {"icc_profile": b"not a profile" * 9}),
        ("JPEG", "RGB", {"dpi": (0, 0), "comment": b"\xff\xd9 no end"}),
        ("PNG", "L", {"icc_profile": b"\0" * 128, "transparency": 7}),
        ("PNG", "P", {"transparency": bytes(range(200))}),
        ("PNG", "1", {}),
        ("PNG", "LA", {}),
        ("GIF", "L", {"transparency": 3}),
        ("WEBP", "RGBA", {"lossless": True, "exif": b"\xff" * 20}),
        ("AVIF", "RGBA", {}),
    ],
)
def test_odd_kinds_of_pixels_are_hashed_and_shown(
    kind: str, mode: str, options: dict[str, object], tmp_path: Path
) -> None:
    """Colours of print, palettes, transparency and profiles of another kind."""
    data = picture(1, (300, 200), kind, mode, **options)
    file = PictureFile("1", tmp_path / "picture", 300, 200)
    file.path.write_bytes(data)

    assert inspect(data, max_pixels=MAX_PIXELS).width_px == 300
    assert (upright(file, 150).mode, upright(file, 150).size) == ("RGB", (150, 100))
