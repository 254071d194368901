"""Presets and free parameters choose the config; what cannot be is refused in one line."""

from pathlib import Path
from typing import get_args

import polars as pl
import pytest
from datasketch import MinHashLSH

from assay.audit.minhash.lsh_config import PRESETS, MinHashConfig, choose_config
from assay.audit.minhash.sign import SchemeName
from assay.audit.run import audit_shards
from assay.errors import UsageError
from assay.text.shingling import UNITS, Shingling
from tests.support.make import make_texts, write_shard
from tests.twins import audit as reference


def test_presets_are_those_of_their_sources() -> None:
    facts = {
        name: (own.bands, own.rows, own.shingling.unit, own.shingling.length, own.scheme)
        for name, own in PRESETS.items()
        if name != "datasketch"
    }

    assert facts == {
        "fineweb": (14, 8, "words", 5, "affine64"),
        "slimpajama": (9, 13, "letters", 13, "affine32"),
        "nemo": (20, 13, "characters", 24, "affine32"),
        "refinedweb": (450, 20, "words", 5, "affine32"),
    }
    for name in PRESETS:
        assert choose_config(name).num_values >= 100


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.9])
def test_the_preset_of_datasketch_takes_its_bands(threshold: float) -> None:
    index = MinHashLSH(threshold=threshold, num_perm=128)

    config = choose_config("datasketch", threshold=threshold)

    assert (config.bands, config.rows, config.threshold) == (index.b, index.r, threshold)


def test_what_is_named_stands_in_place_of_the_presets_value() -> None:
    config = choose_config("nemo", threshold=0.9, bands=7, shingle="words:3", signature="affine64")

    assert config == MinHashConfig(0.9, 7, 13, Shingling("words", 3), "affine64")
    assert choose_config() == MinHashConfig()


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"preset": "fine"}, "preset must be one of fineweb, .*, got 'fine'"),
        ({"shingle": "words"}, "shingle must be UNIT:LENGTH, .*, got 'words'"),
        ({"shingle": "words:0"}, "shingle must be .*, got 'words:0'"),
        ({"shingle": "tokens:5"}, "the unit one of words, letters, characters"),
        ({"preset": "datasketch", "threshold": 1.0}, "datasketch has no bands for threshold 1"),
        ({"threshold": 1.5}, "threshold must be above 0 and at most 1, got 1.5"),
        ({"bands": 17, "signature": "slots"}, "at most 128 with signature slots, got 17 x 8"),
        ({"bands": 9000, "rows": 9000}, "at most 16,384 with"),
    ],
)
def test_a_config_that_cannot_be_is_refused(named: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        choose_config(**named)  # type: ignore[arg-type]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("scheme", get_args(SchemeName))
def test_an_audit_by_any_config_finds_the_pairs_of_an_exhaustive_search(
    tmp_path: Path, unit: str, scheme: str
) -> None:
    texts = make_texts(40, seed=3, words=60)
    texts += [f"{text} and so on" for text in texts[:12]]
    write_shard(tmp_path / "a.parquet", texts)

    audit = audit_shards(
        tmp_path / "a.parquet",
        tmp_path / "audit",
        threshold=0.7,
        bands=32,
        rows=2,
        shingle=f"{unit}:4",
        signature=scheme,
    )

    runs = [set(reference.runs(reference.units(text, unit), 4)) for text in texts]
    expected = {
        (a, b): reference.jaccard(runs[a], runs[b])
        for a in range(len(texts))
        for b in range(a + 1, len(texts))
        if reference.jaccard(runs[a], runs[b]) >= 0.7 and texts[a] != texts[b]
    }
    pairs = audit.read("pairs").filter(pl.col("kind") == "near")
    found = {(a, b): j for a, b, j in pairs.select("row_a", "row_b", "jaccard").iter_rows()}
    words = [len(reference.words(text)) for text in texts]
    assert len(expected) >= 10
    assert found == expected
    assert audit.read("documents")["words"].to_list() == words
    assert audit.manifest.settings["shingle"] == f"{unit}:4"
