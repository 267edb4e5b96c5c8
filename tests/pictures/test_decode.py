"""What counts as a picture, and what is measured on it."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from PIL import Image, ImageFile

from celebcollect.pictures.decode import decoded, inspect
from celebcollect.pictures.formats import EXTENSIONS, NotAPicture
from celebcollect.pictures.hash import perceptual_hash
from picture_web import picture
from pictures.refusals import KINDS, MAX_PIXELS, why


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


def flat(kind: str, size: tuple[int, int]) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size).save(target, kind)
    return target.getvalue()


@pytest.mark.slow
def test_pictures_that_take_much_memory_are_decoded_one_at_a_time() -> None:
    """
    A second one waits for the first.

    A photograph of 12 megapixels, which its decoder reduces, does not wait.
    """
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
