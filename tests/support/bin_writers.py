"""Bins as other programs write them, by code that shares nothing with what reads them.

Documents are lists of ids without end-of-text. Layouts are those of nanoGPT (data/*/prepare.py),
llm.c (dev/data/data_common.py, whose header modded-nanogpt has), build-nanogpt (fineweb.py),
datatrove (pipeline/tokens) and Megatron-LM (core/datasets/indexed_dataset.py).
"""

import pickle
import struct
from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np

END = 50_256
Documents = Sequence[Sequence[int]]
_LLMC = {"gpt-2": (20_240_520, 1, "H"), "llama-3": (20_240_801, 7, "I")}
_MEGATRON = {1: "B", 4: "i", 5: "q", 8: "H"}


def after_each(documents: Documents, end: int = END) -> list[int]:
    """End-of-text after each document."""
    return [number for document in documents for number in (*document, end)]


def before_each(documents: Documents, end: int = END) -> list[int]:
    """End-of-text before each document."""
    return [number for document in documents for number in (end, *document)]


def pack(code: str, ids: Sequence[int], order: str = "<") -> bytes:
    """Ids as bytes; `code` is struct's."""
    return struct.pack(f"{order}{len(ids)}{code}", *ids)


def write_nanogpt(path: Path, documents: Documents, code: str = "H", end: int = END) -> Path:
    """openwebtext: raw uint16, end-of-text after each; other codes as scripts derived from it."""
    path.write_bytes(pack(code, after_each(documents, end)))
    return path


def write_shakespeare(path: Path, ids: Sequence[int]) -> Path:
    """shakespeare: raw uint16, no end-of-text."""
    path.write_bytes(array("H", ids).tobytes())
    return path


def write_characters(folder: Path, train: str, val: str, protocol: int = 4) -> Path:
    """shakespeare_char: raw uint16 numbers of characters, and the vocabulary in meta.pkl."""
    characters = sorted(set(train + val))
    stoi = {character: number for number, character in enumerate(characters)}
    for name, text in (("train", train), ("val", val)):
        write_shakespeare(folder / f"{name}.bin", [stoi[character] for character in text])
    meta = {"vocab_size": len(characters), "itos": dict(enumerate(characters)), "stoi": stoi}
    (folder / "meta.pkl").write_bytes(pickle.dumps(meta, protocol))
    return folder


def write_llmc(path: Path, ids: Sequence[int], model: str = "gpt-2") -> Path:
    """llm.c's write_datafile: 256 int32, then uint16 or uint32."""
    magic, version, code = _LLMC[model]
    header = struct.pack("<256i", magic, version, len(ids), *[0] * 253)
    path.write_bytes(header + pack(code, ids))
    return path


def write_build_nanogpt(path: Path, documents: Documents, dtype: type = np.uint16) -> Path:
    """np.save of one array, end-of-text before each document."""
    np.save(path, np.array(before_each(documents)).astype(dtype))
    return path


def write_datatrove(
    path: Path, documents: Documents, size: int = 2, name: str = "gpt2", ends: bool = True
) -> Path:
    """`.ds`, `.ds.index` and `.ds.metadata`."""
    tail = [END] if ends else []
    code, stops, ids = {2: "H", 4: "I"}[size], [], []
    for document in documents:
        ids += [*document, *tail]
        stops.append(len(ids))
    path.write_bytes(pack(code, ids))
    path.with_name(path.name + ".index").write_bytes(struct.pack(f"<{len(stops)}Q", *stops))
    lines = [f"{name}|{size}", str(len(ids)), f"{len(ids) / 1e3:.2f} KT"]
    path.with_name(path.name + ".metadata").write_text("\n".join(lines))
    return path


def write_megatron(
    path: Path, documents: Documents, code: int = 8, ends: bool = True, each: int = 10**9
) -> Path:
    """`.bin` and `.idx`; `each` is the most ids of a sequence, of which a document has several."""
    sizes, edges, ids = [], [0], []
    for document in documents:
        whole = [*document, *([END] if ends else [])]
        parts = [whole[start : start + each] for start in range(0, len(whole), each)] or [[]]
        sizes += [len(part) for part in parts]
        edges.append(len(sizes))
        ids += whole
    letter = _MEGATRON[code]
    width = struct.calcsize(f"<{letter}")
    pointers = [width * sum(sizes[:place]) for place in range(len(sizes))]
    path.write_bytes(pack(letter, ids))
    path.with_suffix(".idx").write_bytes(
        b"MMIDIDX\x00\x00"
        + struct.pack("<QBQQ", 1, code, len(sizes), len(edges))
        + struct.pack(f"<{len(sizes)}i", *sizes)
        + struct.pack(f"<{len(pointers)}q", *pointers)
        + struct.pack(f"<{len(edges)}q", *edges)
    )
    return path
