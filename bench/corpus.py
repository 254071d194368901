"""A corpus of N MB (10^6 bytes of UTF-8 text), the same bytes wherever it is built.

Documents come from the English shards under `ASSAY_CORPORA`, the source with the fewest bytes so
far giving the next one, so that web pages, news, encyclopedia and technical documentation are mixed
until a source is spent. One document in twenty is planted again as a near duplicate. Where the
sources end too early, documents come once more with half their words edited, which leaves no near
duplicates; how many is recorded and printed.
"""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bench.planted import Planted, edit_words, has_enough_words, measure_jaccard, plant_copy

SEED = 20_261_124
PLANTED_SHARE = 0.05
NUM_SHARDS = 4
ROW_GROUP = 1_000  # rows
_VERSION = 2  # of what is built; an older corpus is built anew
_POOL_WORDS = 20_000
_REPEAT_EDITS = 0.5


@dataclass(frozen=True, slots=True)
class Corpus:
    """What was built: where, how much, and the sha256 of every shard in turn."""

    version: int
    folder: str
    text_bytes: int
    documents: int
    planted: int
    repeated: int
    sha256: str

    @property
    def shards(self) -> Path:
        """The folder of parquet shards, and nothing else."""
        return Path(self.folder) / "shards"

    @property
    def truth(self) -> Path:
        """The table of planted pairs: id_a, id_b, change, jaccard."""
        return Path(self.folder) / "truth.parquet"


def build_corpus(corpora: Path, folder: Path, *, megabytes: int) -> Corpus:
    """Build the corpus under `folder`, or return the one that is there and whole.

    Takes about 6 s and 1.4 GB of memory for 200 MB.

    Raises:
        FileNotFoundError: `corpora` has no `shards/*.parquet`.
    """
    record = folder / "corpus.json"
    if record.is_file():
        found = Corpus(**json.loads(record.read_text()))
        if found.version == _VERSION and _hash_shards(found.shards) == found.sha256:
            return found
    documents, planted, repeated = _collect(_read_sources(corpora), megabytes * 1_000_000)
    random.Random(SEED).shuffle(documents)
    (folder / "shards").mkdir(parents=True, exist_ok=True)
    _write_shards(folder / "shards", documents)
    pq.write_table(
        pa.Table.from_pylist([asdict(pair) for pair in planted]), folder / "truth.parquet"
    )
    corpus = Corpus(
        version=_VERSION,
        folder=str(folder),
        text_bytes=sum(len(text.encode()) for _, text in documents),
        documents=len(documents),
        planted=len(planted),
        repeated=repeated,
        sha256=_hash_shards(folder / "shards"),
    )
    record.write_text(json.dumps(asdict(corpus), indent=1))
    return corpus


def _read_sources(corpora: Path) -> dict[str, list[tuple[str, str]]]:
    """Return (id, text) of every English document, by source; numbered shards are one source."""
    paths = sorted((corpora / "shards").glob("*.parquet"))
    if not paths:
        raise FileNotFoundError(f"{corpora} has no shards/*.parquet; set ASSAY_CORPORA")
    sources: dict[str, list[tuple[str, str]]] = {}
    for path in paths:
        table = pq.read_table(path, columns=["text", "language"])
        rows = zip(table["text"].to_pylist(), table["language"].to_pylist(), strict=True)
        english = [
            (f"{path.stem}:{row}", text)
            for row, (text, language) in enumerate(rows)
            if text and language == "en"
        ]
        if english:
            sources.setdefault(re.sub(r"-\d+$", "", path.stem), []).extend(english)
    return sources


def _take_in_turn(sources: dict[str, list[tuple[str, str]]]) -> Iterator[tuple[str, str]]:
    """Yield every document once, always from the source with the fewest bytes so far."""
    taken = dict.fromkeys(sources, 0)
    rest = {name: iter(documents) for name, documents in sources.items()}
    while rest:
        name = min(rest, key=lambda source: (taken[source], source))
        document = next(rest[name], None)
        if document is None:
            del rest[name]
            continue
        taken[name] += len(document[1].encode())
        yield document


def _collect(
    sources: dict[str, list[tuple[str, str]]], budget: int
) -> tuple[list[tuple[str, str]], list[Planted], int]:
    """Return documents of `budget` bytes in all, the pairs planted in them, and the repeats."""
    rng = random.Random(SEED)
    pool = _draw_words(sources, rng)
    documents: list[tuple[str, str]] = []
    planted: list[Planted] = []
    left, repeated, lap = budget, 0, 0
    while left:
        for base, source_text in _take_in_turn(sources):
            name, text = base, source_text
            if lap:
                name, repeated = f"{base}:again{lap}", repeated + 1
                text = edit_words(text, _REPEAT_EDITS, pool=pool, rng=rng)
            left = _add(documents, name, text, left)
            if left and rng.random() < PLANTED_SHARE and has_enough_words(text):
                change, copy = plant_copy(text, len(planted), pool=pool, rng=rng)
                if len(copy.encode()) < left:  # a copy that the budget cuts would be another change
                    left = _add(documents, f"{name}:copy", copy, left)
                    similarity = measure_jaccard(text, copy)
                    planted.append(Planted(name, f"{name}:copy", change, similarity))
            if not left:
                break
        lap += 1
    return documents, planted, repeated


def _add(documents: list[tuple[str, str]], name: str, text: str, left: int) -> int:
    """Append a document, cut to what is left of the budget, and return what is left then."""
    raw = text.encode()
    if len(raw) > left:
        raw = raw[:left].decode(errors="ignore").encode()
        raw += b"." * (left - len(raw))
    documents.append((name, raw.decode()))
    return left - len(raw)


def _draw_words(sources: dict[str, list[tuple[str, str]]], rng: random.Random) -> list[str]:
    words: list[str] = []
    for name in sorted(sources):
        for _, text in sources[name][:200]:
            words += text.split()
    return rng.choices(words, k=_POOL_WORDS)


def _write_shards(folder: Path, documents: list[tuple[str, str]]) -> None:
    for path in folder.glob("*.parquet"):
        path.unlink()
    size = -(-len(documents) // NUM_SHARDS)
    for nth in range(NUM_SHARDS):
        part = documents[nth * size : (nth + 1) * size]
        table = pa.table({"text": [text for _, text in part], "id": [name for name, _ in part]})
        path = folder / f"shard-{nth:03d}.parquet"
        pq.write_table(table, path, compression="zstd", row_group_size=ROW_GROUP)


def _hash_shards(folder: Path) -> str:
    """Hash all shards' bytes; reading them also puts them into the page cache for everyone."""
    digest = sha256()
    for path in sorted(folder.glob("*.parquet")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
