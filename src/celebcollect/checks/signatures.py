"""Know programs, scripts and archives by their bytes, wherever they lie in other data.

Every signature is long enough, or checked further, that a megabyte of random bytes holds one by
chance in fewer than 1 of 10,000 cases.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

from celebcollect.domain.reasons import Reason

Finding = tuple[Reason, str]
"""Reason and detail of a rejection."""


class PayloadReason(Reason):
    """What a picture file carries beside the picture."""

    BOMB = (
        "bomb",
        "clean",
        "More pixels than the limit allows now, or metadata that blow up when unpacked or taken"
        " apart.",
        "Do not open the file with other programs. `[store] max_pixels` is the limit of pixels.",
    )
    EMBEDDED_SCRIPT = (
        "embedded_script",
        "clean",
        "A script, a web page or a shell command is hidden in the file.",
        "Do not open or serve the file.",
    )
    EMBEDDED_ARCHIVE = (
        "embedded_archive",
        "clean",
        "An archive, a document or a program is hidden in the file.",
        "Do not open or serve the file.",
    )
    TRAILING_DATA = "trailing_data", "clean", "Data of unknown purpose follows the picture."
    UNSEARCHABLE = (
        "unsearchable",
        "clean",
        "The file is built so oddly that the search for hidden data failed over it.",
        "The log has the traceback: please report it. Do not open or serve the file.",
    )


# What a browser or a server would run, in lower case: the literal that is searched for (fast), and
# what must follow it.
_SCRIPTS: tuple[tuple[bytes, re.Pattern[bytes]], ...] = tuple(
    (literal, re.compile(re.escape(literal) + follows))
    for literal, follows in (
        (b"<script", rb"[\s>/]"),
        (b"&lt;script", rb"[\s/]|&lt;script&gt;"),
        (b"<?php", rb"[\s(/]"),
        (b"<html", rb"[\s>]"),
        (b"<!doctype html", rb""),
        (b"<svg", rb"[\s>]"),
        (b"<iframe", rb"[\s>]"),
        (b"<!entity", rb"\s"),
        (b"javascript:", rb""),
        (b"vbscript:", rb""),
        (b"onerror", rb"\s*=\s*[\w\"'(&]{2}"),
        (b"onload", rb"\s*=\s*[\w\"'(&]{2}"),
        (b"$_get[", rb""),
        (b"$_post[", rb""),
        (b"$_request[", rb""),
        (b"__halt_compiler", rb"\s*\("),
        (b"base64_decode(", rb""),
        (b"#!/bin/", rb"\w"),
        (b"#!/usr/bin/", rb"\w"),
        (b"powershell ", rb"-\w"),
    )
)
_SHORT_SCRIPTS = re.compile(
    rb"<\?(?:=|\s)"
    rb"|<%(?:[=@]|\s*(?:eval|execute|request|response)\b)"
    rb"|<[a-z]+\s[^<>]{0,200}\bon[a-z]+\s*="
)
"""Only for texts and for short strays: too short to mean anything in binary data."""


def find_script(data: bytes, *, short: bool = False) -> Finding | None:
    """
    Return the first script in metadata or trailing bytes, also where it is written in UTF-16.

    Args:
        data: Metadata or trailing bytes.
        short: For texts, where two characters count.
    """
    lowered = data.replace(b"\0", b"").lower()
    for literal, pattern in _SCRIPTS:
        if literal in lowered and pattern.search(lowered):
            return PayloadReason.EMBEDDED_SCRIPT, literal.decode("ascii").strip()
    if short and (found := _SHORT_SCRIPTS.search(lowered)):
        return PayloadReason.EMBEDDED_SCRIPT, found.group()[:20].decode("ascii", "replace")
    return None


def _is_zip(data: bytes, at: int) -> bool:
    # APPNOTE.TXT 4.3.7: version needed (up to 6.3, tenths), then flags, then a known method.
    version, method = (
        int.from_bytes(data[at + 4 : at + 6], "little"),
        int.from_bytes(data[at + 8 : at + 10], "little"),
    )
    return 10 <= version <= 63 and method in (0, 8, 9, 12, 14, 93, 95, 97, 98, 99)


def _is_gzip(data: bytes, at: int) -> bool:
    if data[at + 3 : at + 4] > b"\x1f":
        return False
    try:
        return len(zlib.decompressobj(wbits=31).decompress(data[at : at + 4096], 256)) > 0
    except zlib.error:
        return False


def _is_elf(data: bytes, at: int) -> bool:
    return data[at + 4 : at + 7] in (b"\1\1\1", b"\1\2\1", b"\2\1\1", b"\2\2\1")


def _is_pe(data: bytes, at: int) -> bool:
    # The word at 60 tells where the PE header begins (PE format, MS-DOS stub).
    header = at + int.from_bytes(data[at + 60 : at + 64], "little")
    return data[header : header + 4] == b"PE\0\0"


def _is_tar(data: bytes, at: int) -> bool:
    return at >= 257 and data[at + 5 : at + 8] in (b"\x0000", b"  \0")


def _always(_: bytes, __: int) -> bool:
    return True


_ARCHIVES: tuple[tuple[str, bytes, Callable[[bytes, int], bool]], ...] = (
    ("ZIP", b"PK\x03\x04", _is_zip),
    ("RAR", b"Rar!\x1a\x07", _always),
    ("7z", b"7z\xbc\xaf\x27\x1c", _always),
    ("gzip", b"\x1f\x8b\x08", _is_gzip),
    ("bzip2", b"1AY&SY", lambda data, at: data[max(at - 4, 0) : at - 1] == b"BZh"),
    ("xz", b"\xfd7zXZ\0", _always),
    ("tar", b"ustar", _is_tar),
    ("cabinet", b"MSCF\0\0\0\0", _always),
    (
        "PDF",
        b"%PDF-",
        lambda data, at: data[at + 5 : at + 6].isdigit() and data[at + 6 : at + 7] == b".",
    ),
    ("OLE", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _always),
    ("Windows program", b"MZ", _is_pe),
    ("Windows program", b"This program cannot be run in DOS mode", _always),
    ("ELF program", b"\x7fELF", _is_elf),
    ("WebAssembly", b"\0asm\x01\0\0\0", _always),
)


def find_archive(data: bytes, *, leave_out: str = "") -> Finding | None:
    """Return the first archive, document or program that begins anywhere in the data."""
    for name, magic, confirmed in _ARCHIVES:
        if name == leave_out:
            continue
        at = data.find(magic)
        while at >= 0:
            if confirmed(data, at):
                return PayloadReason.EMBEDDED_ARCHIVE, name
            at = data.find(magic, at + 1)
    return None


_FILES: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("PNG", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("GIF", re.compile(rb"GIF8[79]a")),
    ("RIFF", re.compile(rb"RIFF.{4}(?:WEBP|WAVE|AVI )", re.DOTALL)),
    ("Ogg", re.compile(rb"OggS\0[\0-\x07]")),
    ("FLAC", re.compile(rb"fLaC\0\0\0\x22")),
    ("SQLite", re.compile(rb"SQLite format 3\0")),
    ("Java class", re.compile(rb"\xca\xfe\xba\xbe\0[\0-\x03]\0[\x2d-\x50]")),
    ("Android program", re.compile(rb"dex\n03\d\0")),
    ("macOS program", re.compile(rb"\xce\xfa\xed\xfe(?:\x07|\x0c)\0\0[\0\x01]")),
    ("macOS program", re.compile(rb"\xcf\xfa\xed\xfe(?:\x07|\x0c)\0\0[\0\x01]")),
    ("Windows shortcut", re.compile(rb"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0")),
    ("PostScript", re.compile(rb"%!PS-Adobe")),
    ("RTF", re.compile(rb"\{\\rtf1")),
    ("ar archive", re.compile(rb"!<arch>\n")),
    ("RPM", re.compile(rb"\xed\xab\xee\xdb[\x03\x04]")),
    ("LHA", re.compile(rb"-lh[0-7]-")),
    ("key", re.compile(rb"-----BEGIN [A-Z ]{3,40}-----")),
)
"""What is a file of its own where it follows a picture; five bytes and more are telling."""


def find_file(data: bytes) -> Finding | None:
    """Return the first file of another kind that lies among bytes behind a picture."""
    for name, pattern in _FILES:
        if pattern.search(data):
            return PayloadReason.TRAILING_DATA, f"{name} after the picture"
    return None


def find_in_pixels(coded: bytes) -> Finding | None:
    """
    Return what hides among coded pixels, or between the last one and the end mark.

    By chance it is there in fewer than 1 of 10,000 megabytes; gzip's three bytes would be in more.
    """
    return find_script(coded) or find_archive(coded, leave_out="gzip") or find_file(coded)


_CODE = re.compile(
    rb"<[a-z!/?%][^<]{0,200}>|\b(?:eval|exec|system|atob|function|require|import)\s*\("
    rb"|=>\s*[{(]|\b(?:document|window|process)\.|#!\s*/|@echo\b|\bcmd(?:\.exe)?\s+/"
)
_PICTURE_OR_VIDEO = re.compile(rb"\xff\xd8\xff[\xc0-\xfe]|\0\0..ftyp", re.DOTALL)
_TEXT_SHARE = 0.85


def looks_like_nothing(data: bytes) -> bool:
    """Tell whether a few hundred bytes are neither code, as far as they are text, nor a file."""
    if _PICTURE_OR_VIDEO.search(data):
        return False
    text = data.replace(b"\0", b"").lower()
    printable = sum(byte in b"\t\r\n" or 32 <= byte < 127 for byte in text)
    return printable < _TEXT_SHARE * len(text) or not _CODE.search(text)


def is_zip_file(data: bytes) -> bool:
    """
    Tell whether an unpacker would open the whole file.

    It does so for an end record (APPNOTE.TXT 4.3.16) whose comment reaches to the last byte, or
    before which the directory lies that it tells of; many forgive what follows.
    """
    tail = data[-65557:]
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        entries, comment, directory = (
            int.from_bytes(tail[at + first : at + last], "little")
            for first, last in ((10, 12), (20, 22), (12, 16))
        )
        begins = len(data) - len(tail) + at - directory
        if entries and (
            at + 22 + comment == len(tail)
            or (directory and begins >= 0 and data[begins : begins + 4] == b"PK\x01\x02")
        ):
            return True
        at = tail.rfind(b"PK\x05\x06", 0, at)
    return False
