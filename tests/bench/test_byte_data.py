"""The bins of bytes for the experiments on a CPU: what stands in them, and what is leaked."""

from pathlib import Path

from assay.train.run.evaluate import find_leaked, load_held_out
from bench.byte_data import END, LONGEST, make_pack
from bench.gpu_data import COPIES
from bench.gpu_pack import unpack_bins
from tests.support.make import make_texts


def test_half_of_the_held_out_articles_are_leaked_so_many_times(tmp_path: Path) -> None:
    texts = [*make_texts(200, 0, 120), "short"]
    texts += texts[:5]  # exact copies

    made = unpack_bins(make_pack(texts, tmp_path, 4_000, 20), tmp_path / "bins-again")

    clean = made["u36"]
    held_out = load_held_out(clean)
    assert clean.vocab_size == END + 1
    assert not find_leaked(clean, held_out).any()
    assert held_out.tokens_J.size == 20
    assert held_out.tokens_J.max() <= LONGEST
    whole = clean.read_documents("train").height
    for copies in COPIES:
        leaky = made[f"leak{copies}"]
        assert find_leaked(leaky, held_out).tolist() == [True, False] * 10
        assert leaky.read_documents("train").height == whole + 10 * copies
