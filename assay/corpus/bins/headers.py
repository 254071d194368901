"""How a bin begins: llm.c's header, and what begins like no bin at all."""

import struct
from pathlib import Path

from assay.corpus.bins.layout import DTYPES, Layout, fit_layout
from assay.errors import ShardError

HEAD_BYTES = 4096  # of a file, that are looked at
_LLMC_BYTES = 1024  # 256 int32 (llm.c, dev/data/data_common.py)
# By their first number: whose ids, the version that must follow, and the type of the ids.
_LLMC_KINDS = {20_240_520: ("GPT-2", 1, "uint16"), 20_240_801: ("Llama-3", 7, "uint32")}
_LLMC_OTHERS = {
    20_240_522: "questions of an evaluation",
    20_240_326: "a model's weights",
    20_240_327: "a model's state for debugging",
    20_240_328: "a tokenizer",
}
# llm.c dates its files: a number like these, and a small version.
_LLMC_DATES = range(20_240_101, 20_261_232)
_LLMC_VERSIONS = range(17)
_FOREIGN = (
    (b"\x93NUMPY", "is a NumPy file under another name; rename it to end in .npy, or write raw ids "
                   "by ids.tofile"),
    (b"PAR1", "is a parquet file; rename it to end in .parquet"),
    (b"ARROW1", "is an Arrow file; rename it to end in .arrow"),
    (b"\x1f\x8b\x08", "is compressed by gzip; unpack it by gunzip"),
    (b"\x28\xb5\x2f\xfd", "is compressed by zstd; unpack it by zstd -d"),
    (b"\xfd7zXZ\x00", "is compressed by xz; unpack it by unxz"),
    (b"PK\x03\x04", "is a zip archive, as torch.save and np.savez write; write raw ids by "
                    "ids.tofile"),
    (b"\x89HDF\r\n", "is an HDF5 file; write raw ids by ids.tofile"),
    (b"GGUF", "is a model in GGUF, not token ids"),
    (b"\x7fELF", "is a program, not token ids"),
    (b"version https://git-lfs", "is a Git LFS pointer; run git lfs pull"),
)  # fmt: skip
_PLAIN = bytes({*range(0x20, 0x100), *b"\t\n\r\f"} - {0x7F})
_FEWEST_TEXT = 16  # bytes that must all be plain text


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file.

    Raises:
        ShardError: It cannot be read, or is empty.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise ShardError(f"{path} cannot be read ({error.strerror})") from error
    if not head:
        raise ShardError(f"{path} is empty (0 bytes); it holds no ids")
    return head


def refuse_foreign(path: Path, head: bytes) -> None:
    """Refuse a file that by its first bytes holds something else than ids.

    Raises:
        ShardError: It is such a file; the message says which, and what to do.
    """
    for begins, what in _FOREIGN:
        if head.startswith(begins):
            raise ShardError(f"{path} {what}")
    if head[:1] == b"\x80" and 2 <= head[1] <= 5 and _ends_in(path, b"."):
        raise ShardError(f"{path} looks like a pickle, which is never opened; write raw ids")
    if head[8:10] == b'{"' and head[4:8] == bytes(4):
        raise ShardError(f"{path} is a safetensors file, not token ids")
    if _is_text(head):
        raise ShardError(f"{path} holds text, not token ids; give text as parquet")


def read_llmc_layout(path: Path, head: bytes) -> Layout | None:
    """Read llm.c's header, which modded-nanogpt has too; None where there is none.

    Raises:
        ShardError: The header is damaged, of a version or a kind that holds no training ids, or
            does not fit the file.
    """
    if len(head) < 8:
        return None
    magic, version = struct.unpack("<2i", head[:8])
    swapped = struct.unpack(">2i", head[:8])
    if swapped[0] in _LLMC_KINDS or swapped[0] in _LLMC_OTHERS:
        raise ShardError(f"{path} has llm.c's header big-endian; write it little-endian")
    if magic in _LLMC_OTHERS:
        raise ShardError(f"{path} is llm.c's file of {_LLMC_OTHERS[magic]}, not of training ids")
    if magic not in _LLMC_KINDS:
        if magic in _LLMC_DATES and version in _LLMC_VERSIONS:
            raise ShardError(
                f"{path} begins as llm.c's files do, with number {magic}, version {version}; known "
                f"are {' and '.join(map(str, _LLMC_KINDS))}: it is of another kind, or damaged"
            )
        return None
    whose, needed, dtype = _LLMC_KINDS[magic]
    if len(head) < _LLMC_BYTES:
        raise ShardError(f"{path} is cut off within llm.c's header ({len(head):,} bytes)")
    count, *rest = struct.unpack("<254i", head[8:_LLMC_BYTES])
    if version != needed or any(rest) or count < 0:
        found = f"version {version}, {count:,} ids" + (", numbers where 0 is due" * any(rest))
        raise ShardError(
            f"{path} has llm.c's header for {whose} ids, but {found}; needed version {needed} "
            "and nothing else: it is damaged"
        )
    return fit_layout(path, "llm.c", DTYPES[dtype], _LLMC_BYTES, count, "its llm.c header")


def _ends_in(path: Path, last: bytes) -> bool:
    with path.open("rb") as file:
        file.seek(-len(last), 2)
        return file.read() == last


def _is_text(head: bytes) -> bool:
    """Tell whether the first bytes are plain text: UTF-8 and no control characters."""
    if len(head) < _FEWEST_TEXT or head.translate(None, _PLAIN):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(head) == HEAD_BYTES and error.start >= HEAD_BYTES - 3  # cut within a character
    return True
