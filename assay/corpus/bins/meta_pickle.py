"""nanoGPT's `meta.pkl`, read without unpickling.

A pickle is a program. Here its instructions are listed (`pickletools.genops`), and those alone are
followed that build plain values: numbers, texts, lists, tuples and dictionaries of them. One that
would import or call something is not followed: then nothing is known of the file.
"""

import pickletools
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import InputError

META = "meta.pkl"
MAX_BYTES = 8_000_000  # a vocabulary of all of Unicode's characters takes 3 MB
_PUSH = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
}
_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, type] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_PUT = {"PUT", "BINPUT", "LONG_BINPUT"}
_GET = {"GET", "BINGET", "LONG_BINGET"}
_NOTHING = {"PROTO", "FRAME"}
_MAX_VOCABULARY = 1 << 31
_MARK = object()
# Not tuples: to hash one that names another twice, which names a third twice, has no end.
_KEYS = (str, bytes, int, float, type(None))


@dataclass(frozen=True, slots=True)
class Meta:
    """What a `meta.pkl` says of the bins beside it.

    Attributes:
        vocab_size: How many ids there are, or None.
        characters: The character of each id, from 0 on; "" where it lists none.
    """

    vocab_size: int | None
    characters: str


def read_meta(path: Path) -> Meta:
    """Read a `meta.pkl`; at most `MAX_BYTES` of it.

    Raises:
        InputError: It is larger, is damaged, would run code, or contradicts itself.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from error
    if len(data) > MAX_BYTES:
        raise InputError(f"{path} is not read: it has over {MAX_BYTES:,} bytes")
    try:
        value = read_plain_pickle(data)
        if not isinstance(value, dict):
            raise ValueError("it holds no dictionary")
        return _read_vocabulary(value)
    except ValueError as error:
        raise InputError(f"{path} is not read: {' '.join(str(error).split())[:200]}") from error


def read_plain_pickle(data: bytes) -> Any:
    """Return the value of a pickle of plain values; nothing is imported, nothing is called.

    Raises:
        ValueError: It is damaged, or has an instruction that builds something else.
    """
    machine = _Machine()
    try:
        for code, argument, _ in pickletools.genops(data):
            if code.name == "STOP":
                (value,) = machine.stack
                return value
            machine.follow(code.name, argument)
    except (LookupError, TypeError, OverflowError, struct.error, RecursionError) as error:
        raise ValueError(f"it is damaged ({type(error).__name__})") from error
    raise ValueError("it is cut off")


class _Machine:
    """A pickle's stack and memory, for the instructions that build plain values."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memory: dict[int, Any] = {}

    def follow(self, name: str, argument: Any) -> None:
        """Follow one instruction."""
        stack = self.stack
        if name in _PUSH:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name == "MARK":
            stack.append(_MARK)
        elif name in _TUPLES:
            stack[-_TUPLES[name] :] = [tuple(stack[-_TUPLES[name] :])]
        elif name == "MEMOIZE":
            self.memory[len(self.memory)] = stack[-1]
        elif name in _PUT:
            self.memory[argument] = stack[-1]
        elif name in _GET:
            stack.append(self.memory[argument])
        elif name not in _NOTHING:
            self._gather(name)

    def _gather(self, name: str) -> None:
        """Follow an instruction that takes several values, or refuse it."""
        if name in ("SETITEM", "APPEND"):
            taken = [self.stack.pop() for _ in range(2 if name == "SETITEM" else 1)][::-1]
        elif name in ("SETITEMS", "APPENDS", "DICT", "LIST", "TUPLE"):
            taken = []
            while (value := self.stack.pop()) is not _MARK:
                taken.append(value)
            taken.reverse()
        else:
            raise ValueError(f"it holds more than plain values (instruction {name})")
        if name in ("LIST", "TUPLE"):
            self.stack.append(taken if name == "LIST" else tuple(taken))
        elif name in ("APPEND", "APPENDS"):
            self._check_top(list).extend(taken)
        elif not all(isinstance(key, _KEYS) for key in taken[::2]):
            raise ValueError("its keys are no texts and numbers")
        else:
            if name == "DICT":
                self.stack.append({})
            self._check_top(dict).update(zip(taken[::2], taken[1::2], strict=True))

    def _check_top(self, kind: type) -> Any:
        """Return the value on top, which has to be of a kind."""
        if type(self.stack[-1]) is not kind:
            raise ValueError("it is damaged (a value is of another kind)")
        return self.stack[-1]


def _read_vocabulary(value: dict[Any, Any]) -> Meta:
    """Take `vocab_size`, `itos` and `stoi` from what a file holds.

    Raises:
        ValueError: They contradict each other.
    """
    size = value.get("vocab_size")
    if size is not None and (type(size) is not int or not 0 < size < _MAX_VOCABULARY):
        shown = size if type(size) is int else f"a {type(size).__name__}"
        raise ValueError(f"its vocab_size is {shown}, needed a number of ids")
    characters = _list_characters(value)
    if characters and size not in (None, len(characters)):
        raise ValueError(f"its vocab_size is {size:,}, it lists {len(characters):,} characters")
    return Meta(size if size is not None else len(characters) or None, characters)


def _list_characters(value: dict[Any, Any]) -> str:
    """Return the characters of ids 0, 1, ... as `itos` and `stoi` list them; "" where they do not.

    Raises:
        ValueError: The two differ.
    """
    listed = []
    itos, stoi = value.get("itos"), value.get("stoi")
    if isinstance(itos, list | tuple):
        itos = dict(enumerate(itos))
    if isinstance(itos, dict):
        listed.append(itos)
    if isinstance(stoi, dict) and all(type(number) is int for number in stoi.values()):
        listed.append({number: text for text, number in stoi.items()})
    if not listed or not all(isinstance(text, str) for each in listed for text in each.values()):
        return ""
    if len(listed) == 2 and listed[0] != listed[1]:
        raise ValueError("its itos and stoi differ")
    found = [listed[0].get(number) for number in range(len(listed[0]))]
    texts = [text for text in found if isinstance(text, str) and len(text) == 1]
    if len(texts) < len(found):
        return ""  # words, or pieces of a tokenizer's: what they stand for is not known
    characters = "".join(texts)
    characters.encode("utf-8")  # a ValueError where one is half of a pair
    return characters
