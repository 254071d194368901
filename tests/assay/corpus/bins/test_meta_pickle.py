import os
import pickle
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.corpus.bins import meta_pickle
from assay.corpus.bins.meta_pickle import META, Meta, read_meta, read_plain_pickle
from assay.errors import InputError
from tests.support.bin_writers import write_characters

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=300)
    | st.binary(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner, inner, inner)
        | st.tuples(inner)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(value=plain, protocol=st.integers(0, 5))
def test_plain_values_are_what_unpickling_gives(value: Any, protocol: int) -> None:
    data = pickle.dumps(value, protocol)
    if protocol < 3 and "bytes" in str(_types(value)):
        return  # written as a call

    found = read_plain_pickle(data)

    assert found == value
    assert repr(found) == repr(value)


def _types(value: Any) -> set[str]:
    parts = list(value.values()) if isinstance(value, dict) else value
    inner = parts if isinstance(parts, list | tuple) else []
    return {type(value).__name__, *(name for part in inner for name in _types(part))}


@pytest.mark.parametrize("protocol", range(6))
def test_nanogpts_vocabulary_is_read(tmp_path: Path, protocol: int) -> None:
    text = "First Citizen:\nnaïve 東京 🙂"
    write_characters(tmp_path, text, text, protocol)

    assert read_meta(tmp_path / META) == Meta(len(set(text)), "".join(sorted(set(text))))


class Attack:
    """What an attacker would put into a pickle."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("attacked",)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "value", [Attack(), {"vocab_size": 65, "itos": Attack()}, np.int64(65), {1, 2}, bytearray(b"x")]
)
def test_what_would_run_code_is_not_followed(here: Path, value: object, protocol: int) -> None:
    (here / META).write_bytes(pickle.dumps(value, protocol))

    with pytest.raises(InputError, match=r"is not read: it holds more than plain values") as found:
        read_meta(here / META)

    assert "\n" not in str(found.value)
    assert [path.name for path in here.iterdir()] == [META]


@pytest.mark.parametrize(
    ("value", "meta"),
    [
        ({"vocab_size": 50_304}, Meta(50_304, "")),
        ({"itos": ["a", "b"]}, Meta(2, "ab")),
        ({"stoi": {"b": 1, "a": 0}}, Meta(2, "ab")),
        ({"vocab_size": 2, "itos": {0: "the", 1: " of"}}, Meta(2, "")),
        ({"vocab_size": 2, "itos": {5: "a", 6: "b"}}, Meta(2, "")),
        ({"other": [1, 2.5, None, True]}, Meta(None, "")),
    ],
)
def test_other_vocabularies(tmp_path: Path, value: object, meta: Meta) -> None:
    (tmp_path / META).write_bytes(pickle.dumps(value))

    assert read_meta(tmp_path / META) == meta


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([65], "it holds no dictionary"),
        ({"vocab_size": 3, "itos": {0: "a", 1: "b"}}, "vocab_size is 3, it lists 2 characters"),
        ({"itos": {0: "a", 1: "b"}, "stoi": {"a": 1, "b": 0}}, "itos and stoi differ"),
        ({"vocab_size": "65"}, "its vocab_size is a str"),
        ({"vocab_size": True}, "its vocab_size is a bool"),
        ({"vocab_size": -1}, "its vocab_size is -1"),
        ({(1, 2): 3}, "its keys are no texts and numbers"),
        ({"vocab_size": 1 << 40}, "its vocab_size"),
        ({"itos": {0: "\ud800"}}, "surrogate"),
    ],
)
def test_what_contradicts_itself_is_not_read(tmp_path: Path, value: object, reason: str) -> None:
    (tmp_path / META).write_bytes(pickle.dumps(value))

    with pytest.raises(InputError, match=f"is not read: .*{reason}"):
        read_meta(tmp_path / META)


def test_damage_is_said_and_never_more(tmp_path: Path) -> None:
    chance = random.Random(5)
    write_characters(tmp_path, "ab\ncd", "abc")
    data = (tmp_path / META).read_bytes()
    path = tmp_path / "damaged.pkl"
    said = []
    for place in range(600):
        damaged = bytearray(data[: chance.randrange(len(data))] if place % 3 == 0 else data)
        for _ in range(chance.randrange(4)):
            if damaged:
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            read_meta(path)
        except InputError as error:
            said.append(str(error))
    assert len(said) > 300
    assert not any("\n" in line for line in said)


def test_what_would_never_end_is_refused(tmp_path: Path) -> None:
    """Sixty values, each of which names the one before twice: as a key, or shown, 2^60 of them."""
    value: tuple[Any, ...] = ("x",)
    for _ in range(60):
        value = (value, value)
    for wrapped in ({"vocab_size": value}, {"itos": value}, {"itos": {0: value}, "stoi": {}}):
        (tmp_path / META).write_bytes(pickle.dumps(wrapped))
        with suppress(InputError):
            assert read_meta(tmp_path / META) == Meta(None, "")
    key = pickle.dumps(value, 2)[2:-1]
    (tmp_path / META).write_bytes(b"\x80\x02}" + key + b"K\x01s.")
    with pytest.raises(InputError, match="its keys are no texts and numbers"):
        read_meta(tmp_path / META)


def test_a_large_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meta_pickle, "MAX_BYTES", 99)
    (tmp_path / META).write_bytes(pickle.dumps({"vocab_size": 65, "more": "x" * 99}))

    with pytest.raises(InputError, match="is not read: it has over 99 bytes"):
        read_meta(tmp_path / META)
