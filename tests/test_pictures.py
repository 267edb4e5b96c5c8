"""What counts as a picture, and what is measured on it."""

from __future__ import annotations

import io
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageFile

from celebcollect.pictures.decode import decoded, inspect
from celebcollect.pictures.formats import EXTENSIONS, NotAPicture
from celebcollect.pictures.hash import perceptual_hash, reduced
from picture_web import picture

MAX_PIXELS = 100_000_000

KINDS = [
    ("JPEG", "RGB", {}),
    ("JPEG", "RGB", {"progressive": True}),
    ("JPEG", "L", {}),
    ("JPEG", "CMYK", {}),
    ("PNG", "RGB", {}),
    ("PNG", "RGBA", {}),
    ("PNG", "P", {}),
    ("PNG", "LA", {}),
    ("PNG", "1", {}),
    ("WEBP", "RGB", {}),
    ("WEBP", "RGBA", {"lossless": True}),
    ("GIF", "P", {}),
    ("AVIF", "RGB", {}),
]


def why(data: bytes, max_pixels: int = MAX_PIXELS) -> str:
    with pytest.raises(NotAPicture) as refused:
        inspect(data, max_pixels=max_pixels)
    return refused.value.reason


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    KINDS,
    ids=[f"{kind}-{mode}{'-options' if options else ''}" for kind, mode, options in KINDS],
)
def test_every_format_is_measured(kind: str, mode: str, options: dict[str, object]) -> None:
    """Type, size and hash come out of the bytes."""
    facts = inspect(picture(1, (400, 300), kind, mode, **options), max_pixels=MAX_PIXELS)

    assert (facts.format, facts.width_px, facts.height_px) == (kind.lower(), 400, 300)
    assert facts.format in EXTENSIONS
    assert len(facts.phash) == 16


def test_the_hash_is_the_one_of_imagehash_on_real_photographs(shared_data: Path) -> None:
    """Bit for bit the same as ImageHash's on the same pixels, over all captured photographs."""
    files = sorted(
        file
        for file in (shared_data / "faces").rglob("*")
        if file.suffix.lower() in (".jpg", ".jpeg", ".png")
    )[::4]
    assert len(files) > 50
    for file in files:
        with Image.open(file) as expected:
            expected.draft("L", (64, 64))
            oracle = str(imagehash.phash(reduced(expected)))

        assert inspect(file.read_bytes(), max_pixels=MAX_PIXELS).phash == oracle


@pytest.mark.parametrize(
    ("mode", "options"), [("RGB", {}), ("RGBA", {}), ("RGBA", {"lossless": True, "exact": True})]
)
def test_a_webp_is_hashed_as_pillow_loads_it(mode: str, options: dict[str, object]) -> None:
    """Its pixels are taken from the decoder as they are, which makes no difference, also under transparent places."""
    for seed, size in enumerate([(1, 1), (90, 131), (401, 300), (1201, 1600)]):
        drawn = Image.open(io.BytesIO(picture(seed, size, "PNG"))).convert(mode)
        if mode == "RGBA":
            drawn.putalpha(drawn.getchannel("G"))
        target = io.BytesIO()
        drawn.save(target, "WEBP", **options)
        with Image.open(target) as loaded:
            loaded.load()

            assert inspect(target.getvalue(), max_pixels=MAX_PIXELS).phash == perceptual_hash(
                loaded
            )


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "CMYK", "P"])
def test_the_hash_is_the_one_of_imagehash_in_every_mode(mode: str) -> None:
    """Colour, grey, transparency, print colours and palettes are hashed like ImageHash does; small pictures are not reduced."""
    for seed in range(20):
        drawn = Image.open(io.BytesIO(picture(seed, (90, 130), "PNG"))).convert(mode)

        assert perceptual_hash(drawn) == str(imagehash.phash(drawn))


def distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def test_copies_are_near_and_others_far() -> None:
    """A smaller, recompressed copy in another format stays within 6 bits; other pictures do not."""
    hashes = []
    for seed in range(20):
        data = picture(seed, (600, 450), quality=95)
        copy = io.BytesIO()
        Image.open(io.BytesIO(data)).resize((300, 225)).save(copy, "WEBP", quality=60)
        hashes.append(inspect(data, max_pixels=MAX_PIXELS).phash)

        assert distance(hashes[-1], inspect(copy.getvalue(), max_pixels=MAX_PIXELS).phash) <= 6

    assert (
        min(distance(one, other) for place, one in enumerate(hashes) for other in hashes[:place])
        > 6
    )


def test_pictures_of_16_bits_are_told_apart() -> None:
    """Values above 255 are scaled, not cut to white."""
    hashes = set()
    for seed in range(5):
        grey = (
            np.asarray(Image.open(io.BytesIO(picture(seed, (90, 90), "PNG", "L"))), dtype=np.uint16)
            * 257
        )
        target = io.BytesIO()
        Image.fromarray(grey).save(target, "PNG")

        hashes.add(inspect(target.getvalue(), max_pixels=MAX_PIXELS).phash)

    assert len(hashes) == 5


def test_size_is_as_stored_before_exif_turns_it() -> None:
    """Orientation stays in the file, and the size is that of its pixels."""
    exif = Image.Exif()
    exif[0x0112] = 6

    facts = inspect(picture(1, (400, 300), exif=exif), max_pixels=MAX_PIXELS)

    assert (facts.width_px, facts.height_px) == (400, 300)


def test_of_an_animation_the_first_frame_counts() -> None:
    """GIF and WebP animations are hashed by their first frame."""
    frames = [Image.open(io.BytesIO(picture(seed, (90, 90), "PNG"))) for seed in (1, 2, 3)]
    target = io.BytesIO()
    frames[0].save(target, "WEBP", save_all=True, append_images=frames[1:], lossless=True)

    facts = inspect(target.getvalue(), max_pixels=MAX_PIXELS)

    assert facts.phash == perceptual_hash(frames[0])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\0", "not_an_image"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "not_an_image"),
        (
            (
                b"\xef\xbb\xbf\n <svg"
                b" xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
            ),
            "not_an_image",
        ),
        (b"<?xml version='1.0'?><svg></svg>", "not_an_image"),
        (b"%PDF-1.7\n", "not_an_image"),
        (b"{}", "not_an_image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not_an_image"),
        (b"MZ\x90\0", "not_an_image"),
        (b"PK\x03\x04", "not_an_image"),
        (picture(1, kind="BMP"), "unsupported_format"),
        (picture(1, kind="TIFF"), "unsupported_format"),
        (picture(1, kind="ICO", size=(64, 64)), "unsupported_format"),
        (b"8BPS\0\1", "unsupported_format"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "unsupported_format"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "unsupported_format"),
        (b"GIF89a", "corrupt"),
        (b"\x89PNG\r\n\x1a\n", "corrupt"),
        (b"\xff\xd8\xff", "corrupt"),
        (b"RIFF\x04\0\0\0WEBP", "corrupt"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "corrupt"),
    ],
)
def test_what_is_no_picture_that_we_read_is_refused(data: bytes, reason: str) -> None:
    """The bytes decide, by an allow-list: no decoder of another format ever sees them."""
    assert why(data) == reason


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    KINDS,
    ids=[f"{kind}-{mode}{'-options' if options else ''}" for kind, mode, options in KINDS],
)
def test_every_truncation_is_found(kind: str, mode: str, options: dict[str, object]) -> None:
    """A file that ends early is refused, wherever it was cut before its last tenth."""
    whole = picture(1, (400, 300), kind, mode, **options)
    for tenths in range(1, 10):
        assert why(whole[: len(whole) * tenths // 10]) in ("truncated", "corrupt")


def png(
    width: int,
    height: int,
    *chunks: tuple[bytes, bytes],
    depth: int = 8,
    colour: int = 0,
    interlace: int = 0,
) -> bytes:
    """Build a PNG out of chunks, its header saying whatever is wanted."""
    header = (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))
    parts = (header, *chunks, (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )


def vp8x(width: int, height: int) -> bytes:
    """Build the head of a WebP whose canvas is as large as is said."""
    body = (
        b"WEBPVP8X"
        + struct.pack("<I", 10)
        + b"\x02\0\0\0"
        + (width - 1).to_bytes(3, "little")
        + (height - 1).to_bytes(3, "little")
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def scans(count: int) -> bytes:
    """Build a progressive JPEG that says its last scan again and again."""
    whole = picture(1, (64, 64), progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * count + b"\xff\xd9"


def hidden_scans(count: int) -> bytes:
    """Build the same with a marker that has no length: who takes the next bytes for one jumps over all scans, to a harmless head at the end."""
    whole = scans(count)[2:]
    harmless = (
        b"\xff\xc0\0\x11\x08\0\x40\0\x40\3\1\x22\0\2\x11\1\3\x11\1"
        + b"\xff\xda\0\x0c\3\1\0\2\x11\3\x11\0\x3f\0"
    )
    return b"\xff\xd8\xff\xd0" + struct.pack(">H", 2 + len(whole)) + whole + harmless


ROWS = zlib.compress(b"\0" * 101 * 100)


def with_segments(*segments: tuple[int, bytes], count: int) -> bytes:
    """Build a JPEG with segments (marker, content) before its tables, again and again."""
    whole = picture(1, (64, 64))
    packed = b"".join(
        b"\xff" + bytes([marker]) + struct.pack(">H", 2 + len(content)) + content
        for marker, content in segments
    )
    return whole[:2] + packed * count + whole[2:]


def with_extensions(blocks: bytes) -> bytes:
    """Build a GIF with extension blocks before its picture."""
    whole = picture(1, (64, 64), "GIF", "P")
    start = 13 + (3 << ((whole[10] & 7) + 1))
    return whole[:start] + blocks + whole[start:]


BOMBS = {
    "PNG of 4 gigapixels": (
        png(65_535, 65_535, (b"IDAT", zlib.compress(b"\0" * 1000))),
        "too_many_pixels",
    ),
    "PNG of the largest size there is": (
        png(2**31 - 1, 2**31 - 1, (b"IDAT", b"")),
        "too_many_pixels",
    ),
    "PNG of no width": (png(0, 10, (b"IDAT", b"")), "corrupt"),
    "PNG whose pixels never come": (png(9_000, 9_000, (b"IDAT", zlib.compress(b""))), "truncated"),
    "PNG whose ICC profile is a bomb": (
        png(100, 100, (b"iCCP", b"x\0\0" + zlib.compress(b"\0" * 50_000_000)), (b"IDAT", ROWS)),
        "corrupt",
    ),
    "PNG whose text is a bomb": (
        png(100, 100, (b"zTXt", b"x\0\0" + zlib.compress(b"\0" * 50_000_000)), (b"IDAT", ROWS)),
        "corrupt",
    ),
    "PNG whose late text is a bomb": (
        png(
            100, 100, (b"IDAT", ROWS), (b"iTXt", b"x\0\1\0\0\0" + zlib.compress(b"\0" * 50_000_000))
        ),
        "corrupt",
    ),
    "GIF of 4 gigapixels": (
        b"GIF89a\xff\xff\xff\xff\0\0\0" + b",\0\0\0\0\x01\0\x01\0\0\x02\x02L\x01\0;",
        "too_many_pixels",
    ),
    "GIF whose frame is larger than its screen": (
        b"GIF89a\x01\0\x01\0\0\0\0" + b",\0\0\0\0\xff\xff\xff\xff\0\x02\x02L\x01\0;",
        "too_many_pixels",
    ),
    "JPEG of 4 gigapixels": (
        picture(1, (64, 64)).replace(b"\0\x11\x08\0\x40\0\x40", b"\0\x11\x08\xff\xff\xff\xff"),
        "too_many_pixels",
    ),
    "JPEG of a thousand scans": (scans(1000), "corrupt"),
    "JPEG that hides its many scans": (hidden_scans(150), "corrupt"),
    "WebP canvas of 200 terapixels": (vp8x(2**24, 2**24), "too_many_pixels"),
    "WebP of 268 megapixels": (
        b"RIFF\x20\0\0\0WEBPVP8 \x10\0\0\0\0\0\0\x9d\x01\x2a\xff\x3f\xff\x3f" + b"\0" * 10,
        "too_many_pixels",
    ),
    "lossless WebP of 268 megapixels": (
        b"RIFF\x20\0\0\0WEBPVP8L\x10\0\0\0\x2f\xff\xff\xff\x0f" + b"\0" * 10,
        "too_many_pixels",
    ),
    "JPEG of very many empty blocks": (with_segments((0xE5, b""), count=200_000), "corrupt"),
    "JPEG of very many comments": (with_segments((0xFE, b""), count=200_000), "corrupt"),
    "JPEG of nothing but fill bytes": (
        picture(1)[:2] + b"\xff" * 2_000_000 + picture(1)[2:],
        "corrupt",
    ),
    "JPEG whose EXIF comes in crumbs": (
        with_segments((0xE1, b"Exif\0\0ab"), count=500_000),
        "corrupt",
    ),
    "JPEG whose EXIF comes in large pieces": (
        with_segments((0xE1, b"Exif\0\0" + b"a" * 65_000), count=300),
        "corrupt",
    ),
    "PNG of very many empty blocks": (
        png(100, 100, *[(b"prVt", b"")] * 100_000, (b"IDAT", ROWS)),
        "corrupt",
    ),
    "PNG of very many late texts": (
        png(100, 100, (b"IDAT", ROWS), *[(b"tEXt", b"x\0")] * 100_000),
        "corrupt",
    ),
    "PNG whose pixels come in crumbs": (
        png(100, 100, *[(b"IDAT", b"")] * 200_000, (b"IDAT", ROWS)),
        "corrupt",
    ),
    "PNG of a thousand ICC profiles": (
        png(
            100, 100, *[(b"iCCP", b"x\0\0" + zlib.compress(b"\0" * 2**20))] * 1000, (b"IDAT", ROWS)
        ),
        "corrupt",
    ),
    "GIF of very many comments": (with_extensions(b"\x21\xfe\x01a\0" * 200_000), "corrupt"),
    "GIF whose comment comes in crumbs": (
        with_extensions(b"\x21\xfe" + b"\x01a" * 500_000 + b"\0"),
        "corrupt",
    ),
    "a picture above the user's limit": (picture(1, (1001, 1000)), "too_many_pixels"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_goes_off(name: str) -> None:
    """Small files that unpack to very much are refused within a second of work."""
    data, reason = BOMBS[name]
    begun = time.thread_time()

    assert why(data, 1_000_000 if "user" in name else MAX_PIXELS) == reason
    assert time.thread_time() - begun < 1


def flat(kind: str, size: tuple[int, int]) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size).save(target, kind)
    return target.getvalue()


def test_pictures_that_take_much_memory_are_decoded_one_at_a_time() -> None:
    """A second one waits for the first; a photograph of 12 megapixels, which its decoder reduces, does not."""
    large, photograph = flat("PNG", (3500, 3500)), flat("JPEG", (4000, 3000))
    with ThreadPoolExecutor(2) as pool:
        with decoded(large, max_pixels=MAX_PIXELS, mode="L", side_px=64):
            second = pool.submit(inspect, large, max_pixels=MAX_PIXELS)
            assert (
                pool.submit(inspect, photograph, max_pixels=MAX_PIXELS).result(timeout=60).width_px
                == 4000
            )
            assert wait([second], timeout=0.5).not_done

        assert second.result(timeout=60).width_px == 3500


def test_the_limit_itself_is_allowed() -> None:
    """Exactly `max_pixels` pass."""
    assert inspect(picture(1, (1000, 1000)), max_pixels=1_000_000).width_px == 1000


def test_a_photograph_may_carry_ordinary_extras() -> None:
    """A colour profile, EXIF, comments and bytes after the end do not speak against a picture."""
    exif = Image.Exif()
    exif[0x010E] = "described" * 1000
    data = (
        picture(1, exif=exif, icc_profile=b"\0" * 60_000, comment=b"x" * 60_000, progressive=True)
        + b"trailing bytes"
    )

    assert inspect(data, max_pixels=MAX_PIXELS).format == "jpeg"


def test_a_large_picture_may_come_in_many_pieces() -> None:
    """Pixels in ten thousand chunks, and a megabyte of XMP, which a GIF's decoder takes for as many blocks as its letters say."""
    pixels = zlib.compress(
        b"".join(b"\0" + np.random.default_rng(row).bytes(150) for row in range(100))
    )
    chunks = [(b"IDAT", pixels[at : at + 1]) for at in range(len(pixels))]
    xmp = b"\x21\xff\x0bXMP DataXMP" + b"<x:xmpmeta>" * 95_000 + bytes((1, *range(255, -1, -1), 0))

    assert len(chunks) > 10_000
    assert inspect(png(150, 100, *chunks), max_pixels=MAX_PIXELS).format == "png"
    assert inspect(with_extensions(xmp), max_pixels=MAX_PIXELS).format == "gif"


def test_a_jpeg_with_more_pictures_inside_is_a_jpeg() -> None:
    """Phones put previews behind the picture (MPO); the first one counts."""
    target = io.BytesIO()
    first, second = (Image.open(io.BytesIO(picture(seed))) for seed in (1, 2))
    first.save(target, "MPO", save_all=True, append_images=[second])

    assert inspect(target.getvalue(), max_pixels=MAX_PIXELS).format == "jpeg"


def test_why_a_picture_is_refused_is_told_the_same_each_time() -> None:
    """The detail of a broken header names no address in memory."""
    data = b"GIF89a/*<html>"
    with pytest.raises(NotAPicture) as refused:
        inspect(data, max_pixels=MAX_PIXELS)

    assert str(refused.value) == "corrupt: gif: broken header"


def test_pillow_is_not_told_to_accept_truncated_files() -> None:
    """The switch that would make every truncation pass is off."""
    inspect(picture(), max_pixels=MAX_PIXELS)

    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
