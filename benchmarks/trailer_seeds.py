"""Small pictures with what cameras, phones and strangers write behind them, for `fuzz.py`."""

from __future__ import annotations

import struct

ODD_NUMBERS = (
    b"Infinity",
    b"-Infinity",
    b"NaN",
    b"1e999",
    b"-1",
    b"9" * 400,
    b"true",
    b"null",
    b'"7"',
    b"[]",
    b"{}",
    b"[" * 300,
)
"""What JSON and XML may have where a number is expected."""

_BLOB = bytes(range(1, 201))
_VIDEO = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + struct.pack(">I", 208) + b"mdat" + _BLOB
_CANON = b"CANON OPTIONAL DATA\0"


def _samsung(value: bytes) -> bytes:
    block = struct.pack("<HHI", 0, 0x0A30, 4) + b"Name" + value
    head = b"SEFH" + struct.pack("<IIHHII", 107, 1, 0, 0x0A30, len(block), len(block))
    return block + head + struct.pack("<I", len(head)) + b"SEFT"


def _oneplus(value: bytes) -> bytes:
    told = b'[{"name": "a", "length": %d, "offset": %d}]' % (len(value), len(value))
    return value + told + b"jxrs" + struct.pack("<I", len(told) + 8)


def _mie(value: bytes) -> bytes:
    body = b"~\x10\4\xfe0MIE" + value + b"~\0\4\0zmie~\0\0\6"
    return body + struct.pack(">I", len(body) + 6) + b"\x10\4"


def _announced(kind: bytes, body: bytes, plain: bytes) -> bytes:
    segment = kind + body
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + plain[2:]


def _with_index(plain: bytes) -> bytes:
    """Announce a second picture in an index (CIPA DC-007)."""
    entries = struct.pack(">IIIHHIIIHH", 0, 0, 0, 0, 0, 0, len(plain), len(plain) + 70, 0, 0)
    head = b"MM\0*\0\0\0\x08\0\1" + struct.pack(">HHIII", 0xB002, 7, 32, 26, 0)
    segment = b"MPF\0" + head + entries
    first = plain[:2] + b"\xff\xe2" + struct.pack(">H", len(segment) + 2) + segment + plain[2:]
    return first + plain


def trailer_seeds(plain: bytes) -> list[bytes]:
    """Return the JPEG with each kind of trailer that `clean` knows, and with further pictures."""
    xmp = b"http://ns.adobe.com/xap/1.0/\0"
    behind = [
        _samsung(_BLOB),
        _oneplus(_BLOB),
        _BLOB + struct.pack(">I", len(_BLOB)) + b"cbipcbbl",
        _BLOB + struct.pack(">HI", 1, len(_BLOB) + 10) + b"\xa1\xb2\xc3\xd4",
        _CANON + b"\0" * 8 + _BLOB + _CANON + struct.pack(">I", len(_BLOB)) + b"\0" * 40,
        b"AXS!" + _BLOB + b"AXS!" + struct.pack(">I", len(plain)) + b"\0" * 4,
        _mie(_BLOB),
        _BLOB + struct.pack("<32xII", len(_BLOB) + 72, 3) + b"8db42d694ccc418790edff439fe026bf",
        b"streamdata" + plain + b"streaminfo" + _BLOB[:90] + b'vivo{"ver":2}' + b"\0" * 60,
        _VIDEO + b"v2_f33_c00          0:0       LIVE_1032     ",
    ]
    container = b"<x:xmpmeta><Container:Item Item:Length='%d'/></x:xmpmeta>" % len(plain)
    depth = b"<x:xmpmeta MiCamera:XMPMeta=\"offset='200' length='200'\"/>"
    preview = b"II*\0" + b"\0" * 40 + struct.pack("<I", len(plain))
    return [
        *(plain + trailer for trailer in behind),
        plain + _oneplus(_BLOB) + _samsung(_BLOB) + b"\0" * 20,
        _announced(xmp, container, plain) + plain,
        _announced(xmp, depth, plain) + _BLOB,
        _announced(b"Exif\0\0", preview, plain) + plain,
        _with_index(plain),
    ]
