"""Peers' venvs, what they may see, and GPT-2's ranks in the shapes that they ask for.

Each peer has a venv of its own at the versions in `bench/*.txt`. Nothing is fetched while a peer
runs, and nothing is kept from one run to the next: caches lie in the run's own folder.
"""

import json
import os
import shutil
import subprocess
import sys
from hashlib import sha1, sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
_RANKS_URL = "https://openaipublic.blob.core.windows.net/encodings/r50k_base.tiktoken"
_RANKS_SHA256 = "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930"
_END_OF_TEXT = "<|endoftext|>"


def make_venv(peer: str, work: Path) -> Path:
    """Return the python of a peer's venv, made with pip if it is missing or of other versions.

    Raises:
        subprocess.CalledProcessError: pip could not install a package.
    """
    requirements = HERE / f"{peer}.txt"
    venv = work / "venvs" / peer
    stamp = venv / "requirements.sha256"
    wanted = sha256(requirements.read_bytes()).hexdigest()
    python = venv / "bin" / "python"
    if python.is_file() and stamp.is_file() and stamp.read_text() == wanted:
        return python
    print(f"installing {peer} in {venv}", file=sys.stderr)
    shutil.rmtree(venv, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    pip = [str(python), "-m", "pip", "install", "-qq", "--no-deps", "-r", str(requirements)]
    subprocess.run(pip, check=True, stdout=sys.stderr)
    # Compiled now, or the first timed run would compile for the others.
    subprocess.run([str(python), "-m", "compileall", "-q", str(venv / "lib")], check=False)
    stamp.write_text(wanted)
    return python


def isolate(folder: Path) -> dict[str, str]:
    """Return this environment, offline, with Hugging Face's and temporary files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    return kept | {
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HOME": str(folder / "huggingface"),
        "HF_DATASETS_CACHE": str(folder / "huggingface" / "datasets"),
        "TMPDIR": str(folder),
    }


def list_versions(python: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of the named packages, those that a venv has."""
    script = (
        "import importlib.metadata as m, json, sys\n"
        "found = {d.metadata['Name'].lower(): d.version for d in m.distributions()}\n"
        "print(json.dumps({n: found[n] for n in sys.argv[1:] if n in found}))"
    )
    done = subprocess.run([str(python), "-c", script, *names], check=True, capture_output=True)
    versions: dict[str, str] = json.loads(done.stdout)
    return versions


def store_ranks(corpora: Path, work: Path) -> Path:
    """Put GPT-2's ranks where tiktoken looks for its download of r50k_base; return that folder.

    Raises:
        ValueError: The file under `corpora` is not the one that tiktoken would accept.
    """
    source = corpora / "vocab" / "r50k_base.tiktoken"
    found = sha256(source.read_bytes()).hexdigest()
    if found != _RANKS_SHA256:
        raise ValueError(f"{source} has sha256 {found}, tiktoken needs {_RANKS_SHA256}")
    folder = work / "tiktoken"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, folder / sha1(_RANKS_URL.encode()).hexdigest())
    return folder


def write_tokenizer_json(ranks: dict[bytes, int], path: Path) -> None:
    """Write GPT-2's tokenizer as Hugging Face's `tokenizers` reads it: ids equal tiktoken's."""
    spelled = _spell_bytes()

    def spell(piece: bytes) -> str:
        return "".join(spelled[byte] for byte in piece)

    merges = [
        [spell(part) for part in split_piece(piece, rank, ranks)]
        for piece, rank in sorted(ranks.items(), key=lambda item: item[1])
        if len(piece) > 1
    ]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    mark = {"id": len(ranks), "content": _END_OF_TEXT, "special": True, "normalized": False}
    mark |= {"single_word": False, "lstrip": False, "rstrip": False}
    vocabulary = {spell(piece): rank for piece, rank in ranks.items()} | {_END_OF_TEXT: len(ranks)}
    model: dict[str, Any] = {"type": "BPE", "vocab": vocabulary, "merges": merges, "dropout": None}
    model |= {"unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": ""}
    tokenizer: dict[str, Any] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [mark],
    }
    tokenizer |= {"normalizer": None, "pre_tokenizer": level, "post_processor": level}
    tokenizer |= {"decoder": level, "model": model | {"fuse_unk": False}}
    path.write_text(json.dumps(tokenizer))


def split_piece(piece: bytes, rank: int, ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    """Return the two pieces that were merged into `piece`: what lower ranks leave of it.

    Raises:
        ValueError: They leave more or fewer than two; the ranks are not those of a BPE.
    """
    parts = [bytes([byte]) for byte in piece]
    while len(parts) > 2:
        joined = [ranks.get(left + right, rank) for left, right in pairwise(parts)]
        at = min(range(len(joined)), key=joined.__getitem__)
        if joined[at] >= rank:
            break
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    if len(parts) != 2:
        raise ValueError(f"rank {rank}: {piece!r} is not a merge of two pieces of lower rank")
    return parts[0], parts[1]


def _spell_bytes() -> list[str]:
    """Return a printable character for every byte: itself, or else one from U+0100 on."""
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]
