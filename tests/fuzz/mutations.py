"""One change to one part of a file, drawn from a seed."""

import random
import struct
from collections.abc import Callable, Sequence

from tests.fuzz.regions import Region

_ODD_NUMBERS = (0, 1, 2, 7, 127, 128, 255, 256, 65_535, 65_536, 2**31 - 1, 2**31, 2**32 - 1)

Change = Callable[[bytearray, Region, random.Random], None]


def flip_bit(data: bytearray, region: Region, chance: random.Random) -> None:
    """Flip one bit."""
    data[chance.randrange(region.start, region.end)] ^= 1 << chance.randrange(8)


def write_byte(data: bytearray, region: Region, chance: random.Random) -> None:
    """Write one byte, often one that formats give a meaning."""
    value = chance.choice([*b'\x00\xff\x15\x1c"\\{}\n\r,', chance.randrange(256)])
    data[chance.randrange(region.start, region.end)] = value


def write_number(data: bytearray, region: Region, chance: random.Random) -> None:
    """Write a number of four bytes that lengths and counts trip over."""
    place = chance.randrange(region.start, region.end)
    raw = struct.pack("<I", chance.choice(_ODD_NUMBERS))[: region.end - place]
    data[place : place + len(raw)] = raw


def blank(data: bytearray, region: Region, chance: random.Random) -> None:
    """Fill some bytes with zeros, as a disk that lost them does."""
    start = chance.randrange(region.start, region.end)
    end = min(region.end, start + chance.choice([1, 8, 64, 4096]))
    data[start:end] = bytes(end - start)


def delete(data: bytearray, region: Region, chance: random.Random) -> None:
    """Take some bytes out."""
    start = chance.randrange(region.start, region.end)
    del data[start : min(region.end, start + chance.choice([1, 2, 3, 4, 16, 300]))]


def repeat(data: bytearray, region: Region, chance: random.Random) -> None:
    """Write some bytes twice."""
    start = chance.randrange(region.start, region.end)
    end = min(region.end, start + chance.choice([1, 2, 4, 16, 300]))
    data[end:end] = data[start:end]


def swap(data: bytearray, region: Region, chance: random.Random) -> None:
    """Swap two stretches of equal length."""
    length = min(chance.choice([1, 2, 4, 16]), (region.end - region.start) // 2)
    first = chance.randrange(region.start, region.end - 2 * length + 1)
    second = chance.randrange(first + length, region.end - length + 1)
    a, b = data[first : first + length], data[second : second + length]
    data[first : first + length], data[second : second + length] = b, a


def cut_off(data: bytearray, region: Region, chance: random.Random) -> None:
    """End the file within the part."""
    del data[chance.randrange(region.start, region.end) :]


def append(data: bytearray, region: Region, chance: random.Random) -> None:
    """Write more behind the file: zeros, or its own beginning."""
    length = chance.choice([1, 2, 3, 4, 100, 5000])
    data += bytes(length) if chance.random() < 0.5 else data[:length]


CHANGES: Sequence[Change] = (
    flip_bit,
    flip_bit,
    write_byte,
    write_number,
    blank,
    delete,
    repeat,
    swap,
    cut_off,
    append,
)


def mutate(whole: bytes, regions: Sequence[Region], seed: str) -> tuple[bytes, str]:
    """Return a file with one change, and what was changed, in words.

    Each kind of part is drawn as often as another, however many parts of it there are.
    """
    chance = random.Random(seed)
    held = [region for region in regions if region.end > region.start]
    name = chance.choice(sorted({region.name for region in held}))
    region = chance.choice([region for region in held if region.name == name])
    change = chance.choice(CHANGES)
    data = bytearray(whole)
    change(data, region, chance)
    return bytes(data), f"{change.__name__} in {name} [{region.start}, {region.end}), seed {seed}"
