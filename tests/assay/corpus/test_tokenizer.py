import builtins
import hashlib
import lzma
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

import assay.corpus.tokenizer
from assay.corpus import gpt2_ranks
from assay.corpus.tokenizer import BatchEncoder, Tokenizer, choose_backend, load_tokenizer
from assay.errors import TokenizerError, UsageError
from tests.support.make import WORDS, make_texts

FINGERPRINT = "a433d2fe9dcfcaf5ed2e8d2059e455a5c13504d9d94f14de8aa73d7f62265b6d"
HARD = [
    "<|endoftext|>",
    "  ",
    "\n\n\n",
    "a" * 300,
    "\u3000",
    "'s'S",
    "\uff11\uff12\uff13",
    "\0",
    "\ufeff",
    "e\u0301",
]

ENCODERS: dict[str, BatchEncoder] = {}  # one a backend: gigatoken takes 0.2 s to start

pieces = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12), st.sampled_from([*WORDS, *HARD])
)
texts = st.lists(st.lists(pieces, max_size=12).map("".join), max_size=6)


@pytest.fixture(scope="module")
def plain() -> tiktoken.Encoding:
    """GPT-2 as tiktoken itself defines it, from ranks read apart from the code under test."""
    packed = lzma.decompress(files("assay").joinpath("data/gpt2_ranks.xz").read_bytes())
    ranks, at = {}, 50_256
    for rank in range(50_256):
        ranks[packed[at : at + packed[rank]]] = rank
        at += packed[rank]
    assert at == len(packed)
    assert len(ranks) == 50_256
    from tiktoken_ext.openai_public import r50k_pat_str

    return tiktoken.Encoding(
        "plain",
        pat_str=r50k_pat_str,
        mergeable_ranks=ranks,
        special_tokens={"<|endoftext|>": 50_256},
    )


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache folder, empty."""
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: tmp_path)
    return tmp_path


def join(batch: list[str]) -> tuple[np.ndarray, np.ndarray]:
    raw = [text.encode() for text in batch]
    offsets = np.append(0, np.cumsum([len(text) for text in raw])).astype(np.int64)
    return np.frombuffer(b"".join(raw) + bytes(64), np.uint8), offsets


def backends() -> Iterator[Any]:
    yield "tiktoken"
    missing = choose_backend(load_tokenizer()) != "gigatoken"
    yield pytest.param("gigatoken", marks=pytest.mark.skipif(missing, reason="no gigatoken wheel"))


@pytest.mark.parametrize("backend", list(backends()))
@settings(deadline=None, max_examples=150)
@given(batch=texts)
def test_ids_are_tiktokens(
    gpt2: Tokenizer, plain: tiktoken.Encoding, backend: str, batch: list[str]
) -> None:
    encoder = ENCODERS.setdefault(backend, BatchEncoder(gpt2, backend))

    encoded = encoder.encode(*join(batch))

    expected = [plain.encode_ordinary(text) for text in batch]
    assert encoded.ids.dtype == np.uint32
    assert encoded.offsets.tolist() == [0, *np.cumsum([len(ids) for ids in expected]).tolist()]
    assert encoded.ids.tolist() == [token for ids in expected for token in ids]
    assert 50_256 not in encoded.ids


@given(text=st.lists(pieces, max_size=12).map("".join))
def test_decode_is_the_inverse_of_encode(gpt2: Tokenizer, text: str) -> None:
    assert gpt2.decode(gpt2.encode_reference(text.encode())) == text.encode()


def test_every_id_decodes_as_tiktoken_has_it(gpt2: Tokenizer, plain: tiktoken.Encoding) -> None:
    data, starts = gpt2.pieces

    assert starts.size == gpt2.vocab_size + 1 == 50_258
    for token in range(0, 50_257, 37):
        assert data[starts[token] : starts[token + 1]].tobytes() == (
            plain.decode_single_token_bytes(token)
        )


def test_an_id_beyond_the_vocabulary_does_not_decode(gpt2: Tokenizer) -> None:
    with pytest.raises(TokenizerError, match="id 50257 is not one of the 50,257 of gpt2"):
        gpt2.decode(np.array([1, 50_257]))


def test_gpt2_is_what_it_was(gpt2: Tokenizer) -> None:
    """A manifest's fingerprint must stay readable by later versions."""
    assert gpt2.describe() == {
        "name": "gpt2",
        "vocab_size": 50_257,
        "end_of_text": 50_256,
        "fingerprint": FINGERPRINT,
    }
    assert load_tokenizer("r50k_base").fingerprint == FINGERPRINT
    assert gpt2.dtype == np.dtype("<u2")


def test_the_fingerprint_tells_encodings_apart(gpt2: Tokenizer) -> None:
    other = tiktoken.Encoding(
        "gpt2",
        pat_str=gpt2.encoding._pat_str + "|x",
        mergeable_ranks=gpt2.encoding._mergeable_ranks,
        special_tokens={"<|endoftext|>": 50_256},
    )

    assert Tokenizer("gpt2", other, gpt2_ranks.GPT2_SHA256).fingerprint != gpt2.fingerprint
    assert Tokenizer("gpt2", gpt2.encoding, "0" * 64).fingerprint != gpt2.fingerprint


def test_an_unknown_tokenizer_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"tokenizer must be one of .*cl100k_base, .*, got 'gpt5'"):
        load_tokenizer("gpt5")


def test_a_tokenizer_that_cannot_be_fetched_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr(tiktoken, "get_encoding", fail)
    with pytest.raises(TokenizerError, match=r"\(ConnectionError\).*TIKTOKEN_CACHE_DIR"):
        load_tokenizer("cl100k_base")


@pytest.mark.parametrize("damage", ["flip", "cut", "garbage", "missing"])
def test_altered_ranks_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    data = files("assay").joinpath("data/gpt2_ranks.xz").read_bytes()
    content = bytearray(lzma.decompress(data))
    content[60_000] ^= 1
    folder = tmp_path / "data"
    folder.mkdir()
    if damage != "missing":
        (folder / "gpt2_ranks.xz").write_bytes(
            {"flip": lzma.compress(bytes(content)), "cut": data[:-100], "garbage": b"x"}[damage]
        )
    monkeypatch.setattr(gpt2_ranks, "files", lambda _: tmp_path)

    with pytest.raises(TokenizerError, match="reinstall assay"):
        gpt2_ranks.load_gpt2_ranks()


def test_an_altered_cache_file_is_written_anew(cache: Path) -> None:
    path = gpt2_ranks.locate_gpt2_ranks()
    assert path.parent == cache
    assert hashlib.sha256(path.read_bytes()).hexdigest() == gpt2_ranks.GPT2_SHA256
    path.write_bytes(path.read_bytes()[:-1] + b"0")

    assert gpt2_ranks.locate_gpt2_ranks() == path

    assert hashlib.sha256(path.read_bytes()).hexdigest() == gpt2_ranks.GPT2_SHA256
    stamp = path.stat().st_mtime_ns
    assert gpt2_ranks.locate_gpt2_ranks().stat().st_mtime_ns == stamp


def test_a_cache_folder_that_cannot_be_written_is_no_obstacle(
    cache: Path, gpt2: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = cache / "file"
    blocked.touch()
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: blocked / "assay")

    encoded = BatchEncoder(gpt2).encode(*join(["one two"]))

    assert encoded.ids.tolist() == gpt2.encode_reference(b"one two").tolist()


def test_threads_that_meet_an_empty_cache_all_find_the_ranks(cache: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(lambda _: gpt2_ranks.locate_gpt2_ranks(), range(8)))

    (path,) = paths
    assert [file.name for file in cache.iterdir()] == [path.name]


def test_tiktoken_does_the_work_where_gigatoken_is_missing(
    gpt2: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "gigatoken":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    encoder = BatchEncoder(gpt2)

    assert encoder.backend == "tiktoken"
    assert encoder.encode(*join(["hello world", ""])).ids.tolist() == [31373, 995]


def test_a_renewed_encoder_gives_the_same_ids(
    gpt2: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assay.corpus.tokenizer, "_RENEW_BYTES", 10)
    encoder = BatchEncoder(gpt2)

    rounds = [encoder.encode(*join(["the same text", "again"])).ids.tolist() for _ in range(3)]

    assert rounds[0] == rounds[1] == rounds[2]


def test_the_unpacked_ranks_are_those_of_tiktokens_file() -> None:
    strings = gpt2_ranks._unpack_ranks()

    formatted = gpt2_ranks._format_ranks(strings)

    assert hashlib.sha256(formatted).hexdigest() == gpt2_ranks.GPT2_SHA256


def test_one_by_one_and_in_a_batch_texts_have_the_same_ids(
    gpt2: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = [text.encode() for text in [*make_texts(50, seed=5), "", "<|endoftext|>", "漢字 é"]]
    data = np.frombuffer(b"".join(encoded), np.uint8)
    offsets = np.cumsum([0, *map(len, encoded)])

    batch = BatchEncoder(gpt2, "gigatoken").encode(data, offsets)
    monkeypatch.setattr("assay.corpus.tokenizer._SMALL_BYTES", 0)
    import awkward  # noqa: F401  # now encoded in a batch, as where it was loaded before

    together = BatchEncoder(gpt2, "gigatoken").encode(data, offsets)
    monkeypatch.delitem(sys.modules, "awkward")
    monkeypatch.setattr("assay.corpus.tokenizer._SMALL_BYTES", 10**9)
    single = BatchEncoder(gpt2, "gigatoken").encode(data, offsets)

    for other in (batch, together):
        assert np.array_equal(single.ids, other.ids)
        assert np.array_equal(single.offsets, other.offsets)


def test_an_encoder_is_renewed_by_what_it_has_learned(
    gpt2: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = []
    load = assay.corpus.tokenizer._load_gigatoken

    def load_counted() -> Any:
        loads.append(1)
        return load()

    monkeypatch.setattr(assay.corpus.tokenizer, "_load_gigatoken", load_counted)
    monkeypatch.setattr(assay.corpus.tokenizer, "_RENEW_BYTES", 5000)

    def encode(text: str, times: int) -> int:
        loads.clear()
        encoder = BatchEncoder(gpt2, "gigatoken")
        data = np.frombuffer(text.encode(), np.uint8)
        for _ in range(times):
            encoder.encode(data, np.array([0, data.size]))
        return len(loads)

    assert encode("漢字" * 500, 10) == 5  # 3,000 bytes a time, all beyond ASCII: two fill it
    assert encode("a word " * 429, 10) == 1  # as many bytes of ASCII weigh a twentieth
