"""Commands of `assay score`."""

from collections.abc import Iterator

from bench.versions.case import Case, case, refusals
from bench.versions.folders import add, cut, unseal_run

_SCORE = "@ints/whole @ints/leaky train-kept/run"


def score_cases() -> Iterator[Case]:
    """Yield scores of runs, checkpoints and a ckpt.pt, and what is refused."""
    ours = f"{_SCORE} theirs=train-nanogpt/run"
    yield case("score-run", "score run --held-out whole --device cpu", _SCORE)
    yield case(
        "score-several",
        "score run run/step-6 theirs/ckpt.pt --held-out whole --trained-on"
        " leaky --trained-on whole --held-out-documents 25",
        ours,
    )
    yield case("score-json", "score run theirs --held-out leaky --trained-on leaky --json", ours)
    yield case(
        "score-other-tokenizer",
        "score run --held-out bins",
        "train-kept/run bins=prepare-clean/bins/clean",
        2,
    )
    yield case(
        "score-ckpt-ids",
        "score theirs/ckpt.pt --held-out bins",
        "theirs=train-nanogpt/run bins=prepare-clean/bins/clean",
        2,
    )
    yield case(
        "score-no-ckpt",
        "score bad.pt --held-out whole",
        _SCORE,
        3,
        setup=add("bad.pt", "nothing of torch's"),
    )
    yield case(
        "score-unfinished", "score run --held-out whole", _SCORE, 3, setup=unseal_run("run", 6)
    )
    yield case("score-no-val", "score run --held-out bins", "train-kept/run bins=@ints/no-val", 2)
    yield case(
        "score-damaged",
        "score run --held-out whole",
        _SCORE,
        3,
        setup=cut("run/model.safetensors", 40),
    )
    yield from refusals("score-usage", 2, _SCORE, _USAGE)


_USAGE = (
    "score",
    "score run",
    "score nothing --held-out whole",
    "score run --held-out nothing",
    "score run --held-out run",
    "score run --held-out whole --device gpu",
    "score run --held-out whole --held-out-documents 0",
    "score whole --held-out whole",
)
