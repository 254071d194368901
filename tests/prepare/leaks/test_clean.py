"""After cleaning nothing leaks, by a slow twin; and what went is told why."""

import random
from collections.abc import Iterator
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.corpus.tokenizer import Tokenizer
from assay.prepare.leaks import judge
from assay.prepare.leaks.clean import Corpus, SplitCleaner, list_trainable
from assay.prepare.leaks.evidence import gather_evidence
from assay.prepare.leaks.measures import Measures
from assay.prepare.selection import DROPPED, TRAIN, VAL, Assignment
from tests.support.leaks import encode_documents
from tests.twins.leaks import find_leaked, split_words

LENGTH, COPIED = 3, 6
FEW = ["a", "b", "c", "d", "e", "É", "E\u0301"]
texts = st.lists(st.sampled_from(FEW), max_size=18).map(" ".join)
fates = st.sampled_from(["train", "train", "train", "val", "exact", "near", "leaked"])
corpora = st.lists(st.tuples(texts, fates, st.integers(0, 4)), min_size=2, max_size=14)


@pytest.fixture(autouse=True, scope="module")
def short_copies() -> Iterator[None]:
    with mock.patch.object(judge, "COPIED_WORDS", COPIED):
        yield


def assign(fate: list[str]) -> Assignment:
    """Each repeat goes for the first document that stays, or stays itself."""
    first = next((place for place, name in enumerate(fate) if name == "train"), None)
    if first is None:
        fate = ["train" if name not in ("val", "leaked") else name for name in fate]
    held = next((place for place, name in enumerate(fate) if name == "val"), -1)
    because = {"exact": first, "near": first, "leaked": held}
    return Assignment(
        np.array([{"train": TRAIN, "val": VAL}.get(name, DROPPED) for name in fate], np.int8),
        np.array(["" if name in ("train", "val") else name for name in fate], "U8"),
        np.array([-1 if because.get(name) is None else because[name] for name in fate], np.int64),
    )


def clean(
    some: list[str], assignment: Assignment, clusters: list[int], gpt2: Tokenizer,
    *, limit: int = 2, drawn: bool = True, threads: int = 1,
) -> tuple[Assignment, SplitCleaner]:  # fmt: skip
    ids = encode_documents(some, gpt2)
    measures = Measures(num_words=LENGTH, boilerplate=limit, shingle=2, threshold=0.7)
    val, train = assignment.positions(VAL), np.flatnonzero(list_trainable(assignment))
    evidence = gather_evidence(ids, val, train, measures, threads)
    tokens_N = ids.end_N - ids.start_N
    cleaner = SplitCleaner(Corpus(np.array(clusters), tokens_N, evidence, limit), assignment)
    if drawn:
        return cleaner.clean_both(assignment), cleaner
    return cleaner.clean_train(assignment), cleaner


def leaks_of(
    some: list[str], after: Assignment, clusters: list[int], limit: int, held: list[int]
) -> dict[int, str]:
    train = after.positions(TRAIN).tolist()
    found = [split_words(text) for text in some]
    return find_leaked(
        [found[place] for place in held], [found[place] for place in train],
        [clusters[place] for place in train],
        length=LENGTH, limit=limit, shingle=2, threshold=0.7, copied=COPIED,
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(rows=corpora, limit=st.integers(1, 3), drawn=st.booleans())
def test_nothing_leaks_afterwards(
    gpt2: Tokenizer, rows: list[tuple[str, str, int]], limit: int, drawn: bool
) -> None:
    some, fate, clusters = (list(column) for column in zip(*rows, strict=True))
    before = assign(fate)

    after, cleaner = clean(some, before, clusters, gpt2, limit=limit, drawn=drawn)

    assert not leaks_of(some, after, clusters, limit, after.positions(VAL).tolist())
    went = np.flatnonzero(after.fate_N != before.fate_N)
    assert set(after.fate_N[went].tolist()) <= {DROPPED}
    assert set(after.reason_N[went].tolist()) <= {"leaked"}
    assert (after.reason_N[after.fate_N != DROPPED] == "").all()
    if not drawn:
        assert not (before.fate_N[went] == VAL).any()
    for place in went.tolist():
        assert cleaner.tier_N[place] in ("near", "contained", "copied")
        assert cleaner.val_N[place] == (before.fate_N[place] == VAL)
        because = int(after.because_N[place])
        if because >= 0:
            assert after.fate_N[because] == (TRAIN if before.fate_N[place] == VAL else VAL)
        else:
            assert before.fate_N[place] == VAL, "what goes from train goes for one that stays"
    for place in np.flatnonzero(np.isin(after.reason_N, ("exact", "near"))).tolist():
        assert after.fate_N[after.because_N[place]] == TRAIN


@settings(max_examples=100, deadline=None)
@given(rows=corpora, limit=st.integers(1, 3), data=st.data())
def test_validation_documents_do_not_depend_on_what_else_is_dropped(
    gpt2: Tokenizer, rows: list[tuple[str, str, int]], limit: int, data: st.DataObject
) -> None:
    some, fate, clusters = (list(column) for column in zip(*rows, strict=True))
    kept = ["train" if name in ("exact", "near") else name for name in fate]

    dropped, _ = clean(some, assign(fate), clusters, gpt2, limit=limit)
    whole, _ = clean(some, assign(kept), clusters, gpt2, limit=limit, threads=3)

    assert dropped.positions(VAL).tolist() == whole.positions(VAL).tolist()


def test_the_side_of_fewer_tokens_goes(gpt2: Tokenizer) -> None:
    passage = "one two three four five six seven"
    long, short = f"{passage} {'x y z w ' * 40}", f"q r {passage} s"
    first = assign(["val", "train", "train"])

    after, _ = clean([short, long, "m n o p q"], first, [0, 1, 2], gpt2)
    assert after.fate_N.tolist() == [DROPPED, TRAIN, TRAIN]
    assert after.because_N.tolist() == [1, -1, -1]
    after, _ = clean([long, short, "m n o p q"], first, [0, 1, 2], gpt2)
    assert after.fate_N.tolist() == [VAL, DROPPED, TRAIN]
    assert after.because_N.tolist() == [-1, 0, -1]


def test_a_document_that_many_validation_documents_stand_in_goes_instead_of_all_of_them(
    gpt2: Tokenizer,
) -> None:
    chance = random.Random(2)
    passages = [" ".join(chance.sample([f"w{n}" for n in range(900)], 20)) for _ in range(8)]

    after, _ = clean(
        [*passages, " ".join(passages)], assign([*["val"] * 8, "train"]), list(range(9)), gpt2
    )

    assert after.fate_N.tolist() == [VAL] * 8 + [DROPPED]


def test_boilerplate_that_stands_in_fewer_clusters_once_some_went_counts_then(
    gpt2: Tokenizer,
) -> None:
    """Of three clusters with the same words one leaks for another reason; then they are two."""
    common, own = "one two three four five six", "u v w x y z p q r s t"
    some = [f"{common} {own} {'long ' * 60}", f"{common} {own}", f"{common} k l", f"{common} m n"]

    after, _ = clean(some, assign(["val", "train", "train", "train"]), [0, 1, 2, 3], gpt2, limit=2)

    assert after.fate_N.tolist() == [VAL, DROPPED, DROPPED, DROPPED]
