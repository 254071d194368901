"""One code point of UTF-8 in and out, for kernels; bytes are held in an integer, first lowest.

Tables of code points hold what each is lower-cased to: 21 bits, and flags above them.
"""

import numpy as np

from assay.kernels import inline

CODE_POINT = np.uint32((1 << 21) - 1)
SHAKY_POINT = np.uint32(1 << 28)  # NFC may change it (`canonical.list_shaky`)
TWO = np.uint32(1 << 31)  # lower-cases to two code points: the one in the table, then U+0307
DOT_ABOVE = np.uint32(0x307)
_EIGHT = np.uint64(8)


def lower_point(point: int) -> int:
    """Return what a code point is lower-cased to by itself, as tables hold it."""
    lower = chr(point).lower()
    assert lower[1:] in ("", "\u0307"), f"U+{point:04X} lower-cases oddly"
    return ord(lower[0]) | (int(TWO) if len(lower) > 1 else 0)


@inline
def decode(text: np.uint64) -> tuple[np.uint32, int]:
    """Decode the code point that starts 8 bytes of UTF-8; returns it and its length in bytes."""
    lead = np.uint32(text & np.uint64(0xFF))
    second = np.uint32((text >> np.uint64(8)) & np.uint64(0x3F))
    if lead < np.uint32(0x80):
        return lead, 1
    if lead < np.uint32(0xE0):
        return ((lead & np.uint32(0x1F)) << np.uint32(6)) | second, 2
    third = np.uint32((text >> np.uint64(16)) & np.uint64(0x3F))
    head = (second << np.uint32(6)) | third
    if lead < np.uint32(0xF0):
        return ((lead & np.uint32(0x0F)) << np.uint32(12)) | head, 3
    fourth = np.uint32((text >> np.uint64(24)) & np.uint64(0x3F))
    return ((lead & np.uint32(0x07)) << np.uint32(18)) | (head << np.uint32(6)) | fourth, 4


@inline
def encode(point: np.uint32) -> tuple[np.uint64, int]:
    """Encode a code point as UTF-8, first byte lowest; returns it and its length in bytes."""
    wide = np.uint64(point)
    tail = np.uint64(0x80)
    six = np.uint64(0x3F)
    if wide < np.uint64(0x80):
        return wide, 1
    if wide < np.uint64(0x800):
        return (np.uint64(0xC0) | wide >> np.uint64(6)) | (tail | wide & six) << _EIGHT, 2
    last = tail | wide & six
    third = tail | (wide >> np.uint64(6)) & six
    if wide < np.uint64(0x10000):
        lead = np.uint64(0xE0) | wide >> np.uint64(12)
        return lead | third << _EIGHT | last << np.uint64(16), 3
    second = tail | (wide >> np.uint64(12)) & six
    lead = np.uint64(0xF0) | wide >> np.uint64(18)
    return lead | second << _EIGHT | third << np.uint64(16) | last << np.uint64(24), 4
