"""Texts are cut where an encoding's pattern cuts them: ids are tiktoken's, however long a run."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import tiktoken
from hypothesis import example, given, settings
from hypothesis import strategies as st

import assay.corpus.tokenizer
from assay.audit.run import audit_shards
from assay.corpus.long_runs import (
    CL100K_PATTERN,
    GPT2_PATTERN,
    O200K_PATTERN,
    WHITE_SPACE,
    _find_matches,
    encode_text,
)
from assay.corpus.tokenizer import BatchEncoder, Tokenizer
from assay.errors import ShardError, TextError
from tests.support.make import write_shard

PATTERNS = {"gpt2": GPT2_PATTERN, "cl100k": CL100K_PATTERN, "o200k": O200K_PATTERN}
WHITE = st.text(st.sampled_from("  \n\n\r\t\u00a0\u3000\u2028\v\x85"), max_size=9)
BLACK = st.one_of(
    st.sampled_from(["a", "don't", "É", "漢", "e\u0301", "\u0301", "1", "12", "²"]),
    st.sampled_from(["!", "/", "//", "!/"]),
    st.sampled_from(["'", "'s", ",\u0301", "!!\u0301", "_", "\u200b", "\x1c", "\u0378", "🙂"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
)
MANY = 1_000_001


def make_encoding(ranks: Tokenizer, pattern: str) -> tiktoken.Encoding:
    """Return an encoding of another pattern, with GPT-2's ranks."""
    return tiktoken.Encoding(
        "made",
        pat_str=pattern,
        mergeable_ranks=ranks.encoding._mergeable_ranks,
        special_tokens={"<|endoftext|>": 50_256},
    )


@pytest.fixture(scope="module", params=PATTERNS)
def made(request: pytest.FixtureRequest, gpt2: Tokenizer) -> tiktoken.Encoding:
    return make_encoding(gpt2, PATTERNS[request.param])


def test_patterns_are_tiktokens_own() -> None:
    from tiktoken_ext import openai_public

    source = Path(openai_public.__file__).read_text()
    assert openai_public.r50k_pat_str == GPT2_PATTERN
    assert CL100K_PATTERN in source
    assert all(part in source for part in O200K_PATTERN.split(r"\p{N}{1,3}")[0].split("|"))
    assert O200K_PATTERN.count("|") == source.split("def o200k_base")[1].split("]\n    )")[0].count(
        "|"
    ) + 6 - source.split("def o200k_base")[1].split("]\n    )")[0].count('"|"')


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.one_of(WHITE, BLACK), max_size=14).map("".join), st.integers(2, 4))
@example("a \n\n  b", 2)
@example("!\n\n\n   \n  x", 2)
@example("!\n/\n\n\n  x", 2)
@example("\u0301\n\n\n \n", 2)
def test_ids_are_tiktokens_wherever_a_text_is_cut(
    made: tiktoken.Encoding, text: str, longest: int
) -> None:
    assert encode_text(made, text, longest) == made.encode_ordinary(text)


def test_texts_are_cut_at_all(made: tiktoken.Encoding) -> None:
    """What the test above compares is not one and the same call."""
    for space in WHITE_SPACE:
        assert list(_find_matches(f"a{space * 9}b", made._pat_str, 2))
        assert encode_text(made, f"a{space * 9}b", 2) == made.encode_ordinary(f"a{space * 9}b")
    for other in "\x1c\x1d\x1e\x1f\u200b\u180e\ufeff":  # white space to Python, or by their looks
        assert not list(_find_matches(f"a{other * 9}b", made._pat_str, 2))


@pytest.mark.parametrize("before", ["", "!"])
@pytest.mark.parametrize("after", ["", "x"])
@pytest.mark.parametrize("space", [" ", "\n "])
def test_a_million_white_space_characters_have_the_ids_of_fewer(
    made: tiktoken.Encoding, before: str, space: str, after: str
) -> None:
    """Pieces repeat: ids of a run are those of a shorter one with more of the same in between."""
    short = made.encode_ordinary(before + space * 1024 + after)
    longer = made.encode_ordinary(before + space * 2048 + after)
    assert len(longer) > len(short)
    repeated = (len(longer) - len(short)) / 1024

    ids = encode_text(made, before + space * (MANY + 1023) + after)

    same = made.decode(ids) == before + space * (MANY + 1023) + after
    assert same  # compared first: a million characters are no message
    assert len(ids) == pytest.approx(len(short) + repeated * (MANY - 1), abs=1)


@pytest.mark.parametrize("text", ["a" * MANY, "!" * MANY, "漢" * MANY, "\u0301" * MANY, "7" * MANY])
def test_long_runs_of_other_kinds_are_encoded_as_they_are(
    made: tiktoken.Encoding, text: str
) -> None:
    same = encode_text(made, text) == made.encode_ordinary(text)
    assert same


@pytest.mark.parametrize("space", [" ", "\n", "\t", "\u00a0", "\u2028", "\r\n"])
def test_both_backends_count_a_million_of_them_alike(gpt2: Tokenizer, space: str) -> None:
    pytest.importorskip("gigatoken")
    text = f"one{space * MANY}two {space * MANY}".encode()
    data, offsets = np.frombuffer(text, np.uint8), np.array([0, len(text)])

    ids = [BatchEncoder(gpt2, name).encode(data, offsets).ids for name in ("gigatoken", "tiktoken")]

    assert np.array_equal(*ids)


def test_an_audit_without_gigatoken_counts_a_million_spaces(
    tmp_path: Path, gpt2: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assay.corpus.tokenizer, "choose_backend", lambda _: "tiktoken")
    shard = write_shard(tmp_path / "a.parquet", ["some words", " " * 1_000_000 + "x"])

    audit_shards([shard], tmp_path / "audit")

    tokens = pq.read_table(tmp_path / "audit" / "documents.parquet")["tokens"].to_pylist()
    assert tokens == [2, 1_000_000]


class PanicException(BaseException):
    """As what tiktoken raises where its Rust code panics."""


def test_a_text_that_tiktoken_gives_up_on_is_named(
    tmp_path: Path, gpt2: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def panic(encoding: tiktoken.Encoding, text: str) -> list[int]:
        if text == "bad":
            raise PanicException("called `Result::unwrap()`\non an `Err` value")
        return encoding.encode_ordinary(text)

    monkeypatch.setattr(assay.corpus.tokenizer, "choose_backend", lambda _: "tiktoken")
    monkeypatch.setattr(assay.corpus.tokenizer, "encode_text", panic)
    shard = write_shard(tmp_path / "a.parquet", ["good", None, "bad", "fine"])

    with pytest.raises(TextError, match=r"^tiktoken cannot encode a text of 3 bytes \(called"):
        gpt2.encode_reference(b"bad")
    with pytest.raises(ShardError, match=r"a\.parquet: row 2: tiktoken cannot encode") as raised:
        audit_shards([shard], tmp_path / "audit")
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 3


def test_an_unknown_pattern_is_not_cut(gpt2: Tokenizer) -> None:
    other = make_encoding(gpt2, r"\s+|\S+")

    assert not list(_find_matches("a" + " " * 9 + "b", other._pat_str, 2))
    assert encode_text(other, "a" + " " * 9 + "b", 2) == other.encode_ordinary("a" + " " * 9 + "b")
