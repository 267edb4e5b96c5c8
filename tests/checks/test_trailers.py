"""What phones, cameras and editors write behind a picture is forgiven, and nothing else by that."""

from __future__ import annotations

import json
import random
import struct
import time
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celebcollect.checks.payload import search
from celebcollect.checks.trailers import left_over
from checks.payloads import (
    A_PROGRAM,
    A_VIDEO,
    AN_ELF,
    EXIF,
    NOISE,
    a_tar,
    an_archive,
    announcing,
    encoded,
    jpeg_with,
)

LARGE = random.Random(9).randbytes(20_000)
PLAIN = encoded("jpeg")
NIKON_END = b"\0" * 6 + b"/NIKON APP"
CODE = b"var a = atob('aGVsbG8='); eval(a); document.x = a;\n"
PREVIEW = encoded("jpeg", quality=20)


def samsung(value: bytes) -> bytes:
    name = b"MotionPhoto_Data"
    block = struct.pack("<HHI", 0, 0x0A30, len(name)) + name + value
    head = b"SEFH" + struct.pack("<II", 107, 1)
    head += struct.pack("<HHII", 0, 0x0A30, len(block), len(block))
    return block + head + struct.pack("<I", len(head)) + b"SEFT"


def oneplus(blob: bytes) -> bytes:
    listed = [{"name": "watermark.device", "length": len(blob), "offset": len(blob), "version": 1}]
    told = json.dumps(listed).encode()
    return blob + told + b"jxrs" + struct.pack("<I", len(told) + 8)


def vivo(inside: bytes) -> bytes:
    end = b"\0" * 60 + b"\xff\xff\xff\xff\x1b*9HWfu\x84\x93\xa2\xb1"
    return b"streamdata" + inside + b"streaminfo" + NOISE[:90] + b'vivo{"ver":2}' + end


def photo_mechanic(notes: bytes) -> bytes:
    return notes + struct.pack(">I", len(notes)) + b"cbipcbbl"


def foto_station(notes: bytes) -> bytes:
    return notes + struct.pack(">HI", 1, len(notes) + 10) + b"\xa1\xb2\xc3\xd4"


def canon(notes: bytes) -> bytes:
    name = b"CANON OPTIONAL DATA\0"
    return name + b"\0" * 8 + notes + name + struct.pack(">I", len(notes)) + b"\0" * 40


def afcp(notes: bytes) -> bytes:
    return b"AXS!" + notes + b"AXS!" + struct.pack(">I", len(PLAIN)) + b"\0" * 4


def mie(notes: bytes) -> bytes:
    body = b"~\x10\4\xfe0MIE" + notes + b"~\0\4\0zmie~\0\0\6"
    return body + struct.pack(">I", len(body) + 6) + b"\x10\4"


def insta360(notes: bytes) -> bytes:
    size = len(notes) + 72
    end = b"\0" * 32 + struct.pack("<II", size, 3)
    return notes + end + b"8db42d694ccc418790edff439fe026bf"


WRITERS: dict[str, Callable[[bytes], bytes]] = {
    "samsung": samsung,
    "oneplus": oneplus,
    "photo mechanic": photo_mechanic,
    "foto station": foto_station,
    "canon": canon,
    "afcp": afcp,
    "mie": mie,
    "insta360": insta360,
}


def motion_photo(video: bytes) -> bytes:
    told = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta GCamera:MotionPhoto='1'><Container:Item"
    told += b" Item:Mime='video/mp4' Item:Length='%d'/></x:xmpmeta>" % len(video)
    return jpeg_with(0xE1, told) + video


def gain_map(picture: bytes) -> bytes:
    told = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><Container:Item Item:Semantic='GainMap'"
    told += b' Item:Mime="image/jpeg" Item:Length="%d"/></x:xmpmeta>' % len(picture)
    return jpeg_with(0xE1, told) + picture


def xiaomi(depth: bytes) -> bytes:
    told = b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta MiCamera:XMPMeta="&lt;depthmap'
    told += b" offset='%d' length='%d' />\"/>" % (len(depth), len(depth))
    return jpeg_with(0xE1, told) + depth


def with_preview(picture: bytes) -> bytes:
    told = EXIF + b"II*\0" + b"\0" * 40 + struct.pack("<I", len(picture))
    return jpeg_with(0xE1, told) + picture


HONEST = {
    **{name: PLAIN + write(LARGE) for name, write in WRITERS.items()},
    "samsung's motion photo": PLAIN + samsung(A_VIDEO),
    "two after one another": PLAIN + photo_mechanic(LARGE) + oneplus(LARGE),
    "vivo": PLAIN + vivo(PREVIEW),
    "vivo without highlights": PLAIN + vivo(b"")[110:],
    "nikon's app": PLAIN
    + b"<x:xmpmeta>"
    + b" " * 900
    + b"</x:xmpmeta>"
    + b"\0" * 6
    + b"/NIKON APP",
    "huawei": PLAIN + A_VIDEO + b"v2_f33_c00          0:0       LIVE_1032     ",
    "a motion photo": motion_photo(A_VIDEO),
    "a video that nothing tells of": PLAIN + A_VIDEO,
    "an O Live photo": motion_photo(A_VIDEO) + oneplus(NOISE[:300]),
    "xiaomi's depth": xiaomi(LARGE),
    "a gain map": gain_map(PREVIEW),
    "several pictures": announcing(PREVIEW, encoded("jpeg", quality=50)),
    "a preview that EXIF tells of": with_preview(PREVIEW),
    "the boundary of an upload": PLAIN + b"\r\n------WebKitFormBoundary7MA4YWxkTrZu0gW--\r\n" * 6,
    "three hundred strays": PLAIN + NOISE[:300],
    "three hundred letters": PLAIN + b"end of the picture, nothing here. " * 9,
    "a screenshot of Samsung": encoded("png") + samsung(b"{}"),
}


@pytest.mark.parametrize("name", HONEST)
def test_what_devices_write_behind_a_picture_is_forgiven(name: str) -> None:
    """Each in its own structure; also a few hundred bytes that look like nothing."""
    assert search(HONEST[name], "png" if "screenshot" in name else "jpeg") is None


HOSTILE: dict[str, bytes] = {
    "zip": an_archive(),
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<<>>endobj",
    "html": b"<!doctype html><body onload=alert(1)>",
    "script": b"<script>alert(1)</script>",
    "shell": b"#!/bin/sh\nrm -rf ~\n",
    "elf": AN_ELF,
    "windows program": A_PROGRAM,
    "tar": a_tar(),
    "png": encoded("png"),
    "gif": encoded("gif"),
    "webp": encoded("webp"),
    "sqlite": b"SQLite format 3\0" + b"\0" * 90,
    "java": b"\xca\xfe\xba\xbe\0\0\0\x34" + b"\0" * 90,
    "key": b"-----BEGIN RSA PRIVATE KEY-----\nAAAA",
}


FILES = ("png", "gif", "webp", "sqlite", "java", "key")
"""What is a file where it follows a picture, and may be anything in a segment."""

PLACES = [
    *((place, name) for place in ("behind", *WRITERS, "vivo", "video") for name in HOSTILE),
    *(("announced", name) for name in HOSTILE if name not in FILES),
    *(("no end mark", name) for name in HOSTILE if name not in (*FILES, "tar")),
]


@pytest.mark.parametrize(("place", "name"), PLACES)
def test_nothing_slips_by_in_what_is_forgiven(place: str, name: str) -> None:
    """Scripts, archives, programs and files are found behind a picture and in every trailer."""
    hostile = HOSTILE[name]
    if place == "behind":
        data = PLAIN + NOISE[:40] + hostile
    elif place == "vivo":
        data = PLAIN + vivo(PREVIEW).replace(NOISE[:90], NOISE[:90] + hostile)
    elif place == "video":
        inside = A_VIDEO + struct.pack(">I", len(hostile) + 8) + b"free" + hostile
        data = motion_photo(inside)
    elif place == "announced":
        data = announcing(jpeg_with(0xEF, hostile))
    elif place == "no end mark":
        data = PLAIN[:-2] + hostile
    else:
        data = PLAIN + WRITERS[place](hostile)

    found = search(data, "jpeg")

    assert found is not None
    assert found[0] in ("embedded_script", "embedded_archive", "trailing_data")


UNKNOWN = {
    "a second JPEG": PLAIN + PREVIEW,
    "a second JPEG behind zeros": PLAIN + b"\0" * 9 + PREVIEW,
    "a JPEG beyond the index": announcing(PREVIEW) + PREVIEW,
    "the same picture once more": announcing(PREVIEW, PREVIEW) + PREVIEW,
    "a JPEG that XMP gives another length": gain_map(PREVIEW)[:-2] + b"\0\0\xff\xd9",
    "a tiny JPEG": PLAIN + b"\xff\xd8\xff\xdb\0\3\0\xff\xd9" + NOISE[:60],
    "a mark at the end of much": PLAIN + LARGE + b"SEFT",
    "a mark at the beginning of much": PLAIN + b"vivo{" + LARGE,
    "a video that goes on as something else": PLAIN + A_VIDEO + LARGE,
    "more than Samsung tells of": PLAIN + LARGE + samsung(b"{}"),
    "more than OnePlus tells of": PLAIN + LARGE + oneplus(b"blob"),
    "a thousand strays": PLAIN + NOISE[:1000],
    "code of a few hundred letters": PLAIN
    + b"var a = atob('aGVsbG8='); eval(a); document.x = a;\n" * 4,
    "a trailer behind a GIF": encoded("gif") + samsung(LARGE),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_nobody_announced_is_trailing_data(name: str) -> None:
    """A mark forgives as much as its own lengths reach, and a second picture must be announced."""
    found = search(UNKNOWN[name], "gif" if "GIF" in name else "jpeg")

    assert found is not None
    assert found[0] == "trailing_data"


def test_a_zip_is_found_although_something_follows_it() -> None:
    """Unpackers forgive a few bytes behind the end of an archive, and look back for it."""
    coded = PLAIN[:-2] + an_archive().replace(b"\xff", b"\xfe")
    for data in (coded + b"\xff\xd9", coded + b"\xff\xd9" + b"\0" * 40):
        assert search(data, "jpeg") == ("embedded_archive", "the file opens as a ZIP")


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 3}])
def test_nothing_follows_the_pixels_of_a_jpeg_without_an_end(options: dict[str, object]) -> None:
    """Decoders skip it, and nobody could tell it from pixels; a few bytes may follow."""
    whole = encoded("jpeg", **options)[:-2]
    behind = NOISE.replace(b"\xff", b"\0")

    assert search(whole, "jpeg") is None
    assert search(whole + behind[:300], "jpeg") is None
    found = search(whole + behind, "jpeg")
    assert found == ("trailing_data", "bytes behind the pixels, and no end mark")


@pytest.mark.slow
def test_metadata_of_one_picture_have_one_budget() -> None:
    """Five texts of 4 MB are a bomb as one of 20 MB is."""
    packed = b"Comment\0\0" + zlib.compress(b"\0" * 4_000_000)
    chunk = struct.pack(">I", len(packed)) + b"zTXt" + packed + b"\0" * 4
    data = encoded("png")

    assert search(data[:33] + chunk * 4 + data[33:], "png") is None
    assert (search(data[:33] + chunk * 5 + data[33:], "png") or ("",))[0] == "bomb"


@given(
    st.sampled_from(
        [PLAIN + write(NOISE[:90]) for write in WRITERS.values()] + [PLAIN + vivo(PREVIEW)]
    ),
    st.integers(0, 400),
    st.binary(max_size=12),
)
def test_broken_trailers_never_stop_the_search(data: bytes, back: int, patch: bytes) -> None:
    """Whatever lengths they tell."""
    at = max(len(data) - back, len(PLAIN))
    changed = data[:at] + patch + data[at + len(patch) :]
    search(changed, "jpeg")
    assert len(left_over(changed[len(PLAIN) :], len(PLAIN), "jpeg", ())) <= len(changed)


@pytest.mark.parametrize(
    "number",
    [
        "Infinity",
        "-Infinity",
        "NaN",
        "1e999",
        "9" * 5000,
        "true",
        "null",
        '"7"',
        "{}",
        "[" * 20_000,
    ],
)
def test_a_trailer_that_lists_odd_numbers_is_no_known_one(number: str) -> None:
    """Whatever JSON has for a number: the list is none, and its picture one with strays."""
    for listed in (f'[{{"offset":{number}}}]', f'[{{"offset":20000}},{{"offset":{number}}}]'):
        told = listed.encode()
        data = PLAIN + LARGE + told + b"jxrs" + struct.pack("<I", len(told) + 8)

        found = search(data, "jpeg")

        assert found is not None
        assert found[0] == "trailing_data"


@pytest.mark.slow
def test_trailers_within_trailers_cost_no_time() -> None:
    """A file of nothing but ends of trailers is searched in the time of its bytes."""
    ends = (photo_mechanic(b""), samsung(b""), b"\0\0SEFT", b"jxrs\x08\0\0\0", insta360(b""))
    began = time.process_time()

    for end in ends:
        search(PLAIN + end * (4_000_000 // len(end)), "jpeg")

    assert time.process_time() - began < 10
