"""Texts and signatures that benchmarks are made of: they are what their names say."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.audit.minhash.band_keys import make_keys
from assay.audit.pairs.candidates import pair_groups, propose_pairs
from assay.repeats.clusters import connect
from bench import enlarge
from bench.signatures_made import make_signatures
from bench.streams import SCRIPTS, hash_pieces, stream_texts
from tests.support.make import make_texts


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=lambda script: script.name)
def test_streamed_text_is_valid_and_its_words_never_end(script) -> None:  # noqa: ANN001
    batches = list(stream_texts(script, 200_000, 4))
    again = list(stream_texts(script, 200_000, 4))
    seen = np.zeros(0, np.uint64)
    grown = []
    for data, _ in batches:
        seen = np.union1d(seen, hash_pieces(data, script.mark))
        grown.append(seen.size)

    for (data, offsets), (same, _) in zip(batches, again, strict=True):
        assert offsets[0] == 0
        assert offsets[-1] == data.size
        assert 0.5 * 200_000 < data.size < 1.5 * 200_000
        for lo, hi in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
            assert data[lo:hi].tobytes().decode()[-1] == chr(script.mark)
        assert np.array_equal(data, same)
    assert grown[3] > 2.5 * grown[0]


def test_pieces_are_counted_as_a_set_counts_them() -> None:
    script = SCRIPTS["chinese"]
    data, _ = next(stream_texts(script, 50_000, 1))
    pieces = data.tobytes().decode().split(chr(script.mark))[:-1]

    assert hash_pieces(data, script.mark).size == len(set(pieces))


def test_made_signatures_have_the_clusters_that_they_say() -> None:
    signature_NP, label_N = make_signatures(3_000)

    found = propose_pairs(make_keys(signature_NP, 16, 8), np.ones(3_000, np.bool_))
    pair_P2 = np.concatenate([found.pair_P2, pair_groups(found.group_N)])
    joined = connect(3_000, pair_P2, np.ones(len(pair_P2)))

    assert np.array_equal(joined.label_N, label_N)
    assert 0.08 <= (np.bincount(label_N)[label_N] > 1).mean() <= 0.1


def test_edited_bytes_keep_their_words_and_change_the_share_asked_for() -> None:
    text = " ".join(["word", "d\u00e9j\u00e0", "\u00e9t\u00e9", "WORD", "1x"] * 2_000)
    data = np.frombuffer(text.encode(), np.uint8).copy()

    enlarge.edit_bytes(data, 0.25, np.random.default_rng(1))

    before, after = text.split(), data.tobytes().decode().split()
    changed = [a != b for a, b in zip(before, after, strict=True)]
    assert not any(changed[2::5])
    assert not any(changed[4::5])
    assert 0.2 < np.mean(changed[0::5]) < 0.3
    assert all(a[1:] == b[1:] for a, b in zip(before, after, strict=True))


def test_an_enlarged_corpus_begins_with_the_original(tmp_path: Path) -> None:
    texts = make_texts(40, 1)
    shards = [tmp_path / f"{nth}.parquet" for nth in range(4)]
    for nth, path in enumerate(shards):
        names = [f"{nth}-{row}" for row in range(10)]
        pq.write_table(pa.table({"text": texts[nth * 10 : nth * 10 + 10], "id": names}), path)

    megabytes = enlarge.enlarge_corpus(shards, tmp_path / "large", copies=3, edited=0.5)

    written = [pq.read_table(path) for path in sorted((tmp_path / "large").iterdir())]
    table_ = pa.concat_tables(written).to_pydict()
    assert len(written) == 6
    assert megabytes == 0
    assert table_["text"][:40] == texts
    assert len(set(table_["id"])) == 120
    assert all(len(text) == len(texts[n % 40]) for n, text in enumerate(table_["text"]))
    assert sum(text == texts[n % 40] for n, text in enumerate(table_["text"])) < 60


def test_a_giant_document_stands_among_ordinary_ones(tmp_path: Path) -> None:
    texts = ["\u00e9t\u00e9 " * 50, *make_texts(9, 2)]
    pq.write_table(pa.table({"text": texts, "id": list("abcdefghij")}), tmp_path / "a.parquet")

    row = enlarge.write_giant([tmp_path / "a.parquet"], tmp_path / "giant.parquet", megabytes=2)

    found = pq.read_table(tmp_path / "giant.parquet")["text"].to_pylist()
    assert len(found[row].encode()) == 2_000_000
    assert [*found[:row], *found[row + 1 :]] == texts
