"""The peers: what a user would run today, and how each is run."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.corpus import Corpus
from bench.measure import Measurement, measure_command
from bench.venvs import HERE, isolate

Runner = Callable[[Path, Corpus, Path], list[Measurement]]
SAME = ("numpy", "pyarrow")


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool: the name of its venv, the packages whose versions matter, and what runs it.

    `run` takes the venv's python, the corpus, and an empty folder.
    """

    name: str
    venv: str
    packages: tuple[str, ...]
    run: Runner


def list_peers(work: Path) -> dict[str, Peer]:
    """Return all peers by name; `work` holds GPT-2's ranks as they want them."""
    peers = [
        Peer("text-dedup", "text-dedup", ("text-dedup", "datasets", *SAME), _run_text_dedup),
        Peer(
            "nanogpt",
            "nanogpt",
            ("tiktoken", "datasets", *SAME),
            partial(_run_nanogpt, ranks=work / "tiktoken"),
        ),
        Peer("datatrove", "datatrove", ("datatrove", "spacy", *SAME), _run_datatrove),
        Peer(
            "datatrove-tokens",
            "datatrove",
            ("datatrove", "tokenizers", *SAME),
            partial(_run_datatrove_tokens, tokenizer=work / "tokenizer.json"),
        ),
        Peer(
            "datasketch",
            "datasketch",
            ("datasketch", "xxhash", *SAME),
            partial(_run_library, "datasketch"),
        ),
        Peer("rensa", "rensa", ("rensa", "pyarrow"), partial(_run_library, "rensa")),
    ]
    return {peer.name: peer for peer in peers}


def _run_text_dedup(python: Path, corpus: Corpus, folder: Path) -> list[Measurement]:
    """Time text-dedup's MinHash: 5-grams of words, 128 permutations, 16 bands of 8, two processes.

    The deduplicated dataset is in `folder`/deduplicated.
    """
    command = [
        *(str(python), "-m", "text_dedup.minhash"),
        *("--path", "parquet", "--data_files", str(corpus.shards / "*.parquet")),
        *("--split", "train", "--column", "text", "--ngram", "5", "--num_perm", "128"),
        *("--b", "16", "--r", "8", "--threshold", "0.8", "--num_proc", "2"),
        *("--cache_dir", str(folder / "cache"), "--output", str(folder / "deduplicated")),
    ]
    return [_measure("text-dedup", command, folder)]


def _run_nanogpt(python: Path, corpus: Corpus, folder: Path, *, ranks: Path) -> list[Measurement]:
    """Time what nanoGPT's prepare does; the bins are in `folder`."""
    command = [str(python), str(HERE / "nanogpt_prepare.py"), str(corpus.shards), str(folder)]
    environment = isolate(folder) | {"TIKTOKEN_CACHE_DIR": str(ranks)}
    return [measure_command("nanogpt", command, folder=folder, environment=environment)]


def _run_datatrove(python: Path, corpus: Corpus, folder: Path) -> list[Measurement]:
    """Time datatrove's four stages of MinHash; the documents that stay are in `folder`/kept."""
    command = [str(python), str(HERE / "datatrove_run.py"), "minhash"]
    return [_measure("datatrove", [*command, str(corpus.shards), str(folder)], folder)]


def _run_datatrove_tokens(
    python: Path, corpus: Corpus, folder: Path, *, tokenizer: Path
) -> list[Measurement]:
    """Time datatrove's DocumentTokenizer with GPT-2's tokenizer."""
    command = [str(python), str(HERE / "datatrove_run.py"), "tokens"]
    command += [str(corpus.shards), str(folder), str(tokenizer)]
    return [_measure("datatrove-tokens", command, folder)]


def _run_library(name: str, python: Path, corpus: Corpus, folder: Path) -> list[Measurement]:
    """Time `bench/NAME_dedup.py`; the ids that stay are in `folder`/kept.txt."""
    command = [str(python), str(HERE / f"{name}_dedup.py"), str(corpus.shards), str(folder)]
    return [_measure(name, command, folder)]


def _measure(name: str, command: list[str], folder: Path) -> Measurement:
    return measure_command(name, command, folder=folder, environment=isolate(folder))
