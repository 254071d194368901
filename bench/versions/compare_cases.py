"""Commands of `assay compare`."""

from collections.abc import Iterator

from bench.versions.case import Case, case, refusals
from bench.versions.folders import drop_run, flip

_BINS = "@ints/whole @ints/clean"
_AB = "compare whole clean -o ab {tiny} --max_iters 12"
_TWO = f"{_AB} --seeds 2 --log-interval 6"
_MADE = f"{_BINS} compare-two/ab"


def compare_cases() -> Iterator[Case]:
    """Yield comparisons of every verdict and option, told again, and refused."""
    yield from _verdicts()
    yield from _options()
    yield from _again()
    yield from _refused()


def _verdicts() -> Iterator[Case]:
    yield case("compare-two", _TWO, _BINS)
    yield case("compare-three-seeds", _AB, _BINS)
    yield case(
        "compare-real",
        "compare raw clean -o ab {tiny} --max_iters 6 --seeds 2 --eval-interval 3",
        "prepare-raw/bins/raw prepare-clean/bins/clean",
    )
    yield case(
        "compare-worse",
        "compare whole little -o ab {tiny} --max_iters 150 --seeds 2"
        " --eval-interval 50 --log-interval 50 --learning_rate 0.01",
        "@ints/whole @ints/little",
    )
    yield case(
        "compare-better",
        "compare little whole -o ab {tiny} --max_iters 150 --seeds 2"
        " --eval-interval 25 --log-interval 50 --learning_rate 0.01",
        "@ints/whole @ints/little",
    )
    yield case("compare-one-seed", f"{_AB} --seeds 1", _BINS)
    yield case(
        "compare-same",
        "compare whole same -o ab {tiny} --max_iters 12 --seeds 2",
        "@ints/whole @ints/same",
    )
    yield case("compare-equivalent", f"{_TWO} --delta 0.5", _BINS)
    yield case(
        "compare-not-worse", f"{_TWO} --not-worse-by 0.5 --delta 0.0001 --seed-sd 0.01", _BINS
    )
    yield case(
        "compare-three-arms",
        "compare whole clean little -o ab {tiny} --max_iters 12 --seeds 2",
        f"{_BINS} @ints/little",
    )
    yield case("compare-leaky", "compare whole leaky -o ab {tiny}", "@ints/whole @ints/leaky", 1)
    yield case(
        "compare-leaky-allowed",
        "compare whole leaky -o ab {tiny} --max_iters 40 --seeds 2 --allow-leaked",
        "@ints/whole @ints/leaky",
    )
    yield case(
        "compare-few",
        "compare few-held few-held -o ab {tiny} --max_iters 12 --seeds 2",
        "@ints/few-held",
        1,
    )
    yield case(
        "compare-tokenizers",
        "compare whole other-tokenizer -o ab {tiny} --max_iters 12",
        "@ints/whole @ints/other-tokenizer",
        1,
    )
    yield case(
        "compare-diverged", f"{_TWO} --learning_rate 1e38 --grad_clip 0 --warmup_iters 0", _BINS, 1
    )


def _options() -> Iterator[Case]:
    yield case(
        "compare-json",
        f"{_TWO} --json --arch modern --bias false --dropout 0.1"
        " --gradient_accumulation_steps 2 --learning_rate 0.01 --min_lr 0.001"
        " --optimizer adamw --schedule wsd --cooldown_share 0.5 --warmup_iters 2"
        " --lr_decay_iters 20"
        " --weight_decay 0.05 --beta1 0.8 --beta2 0.9 --grad_clip 0.5 --seed 3"
        " --sampling epochs --dtype float32 --compile false --micro_batch 4 --head plain"
        " --attention auto --deterministic true --eval_batch_size 4 --eval-interval 5"
        " --checkpoint-interval 5 --held-out-documents 25",
        _BINS,
    )
    yield case("compare-muon", f"{_TWO} --optimizer muon --matrix_lr 0.02 --schedule linear", _BINS)
    yield case(
        "compare-extras",
        f"{_TWO} --optimizer muon --momentum 0.9 --softcap 15 --value_embeds true --value_lr 0.1"
        " --residual_scalars true --scalar_lr 0.3",
        _BINS,
    )
    yield case(
        "compare-size",
        "compare whole clean -o ab --config tiny.toml --size 5M --n_layer 1"
        " --block_size 16 --tokens 400 --seeds 2 --device cpu",
        f"{_BINS} @logs/tiny.toml",
    )
    yield case("compare-looks", f"{_AB} --looks 1,2,3", _BINS)
    yield case(
        "compare-held-out", f"{_TWO} --held-out new --also old", f"{_BINS} @ints/old @ints/new"
    )
    vary = "compare whole -o ab {tiny} --max_iters 12 --seeds 2 --vary"
    yield case("compare-vary-dropout", f"{vary} dropout=0,0.1", "@ints/whole")
    yield case("compare-vary-shape", f"{vary} n_layer+n_embd=1+16,2+8", "@ints/whole")
    yield case("compare-vary-steps", f"{vary} max_iters=12,24", "@ints/whole")
    yield case("compare-vary-three", f"{vary} learning_rate=0.001,0.01,0.1", "@ints/whole")
    yield case("compare-terminal", _TWO, _BINS, columns=70)
    yield case("compare-device", f"{_TWO} --devices cpu", _BINS)
    yield case("compare-devices", f"{_TWO} --devices cpu,cpu", _BINS)


def _again() -> Iterator[Case]:
    yield case("compare-again", f"{_TWO} --micro_batch 4", _MADE)
    yield case("compare-again-json", f"{_TWO} --json", _MADE)
    yield case("compare-again-other", f"{_TWO} --delta 0.5 --dropout 0.1", _MADE, 2)
    yield case(
        "compare-again-bins",
        "compare whole little -o ab {tiny} --max_iters 12 --seeds 2",
        "@ints/whole @ints/little compare-two/ab",
        2,
    )
    yield case("compare-again-damaged", _TWO, _MADE, 3, setup=flip("ab/verdict.json"))
    yield case(
        "compare-resumed",
        _TWO,
        _MADE,
        setup=drop_run("ab", "comparison", "verdict.json", run="1-1"),
    )
    yield case(
        "compare-resumed-other",
        f"{_TWO} --dropout 0.1",
        _MADE,
        2,
        setup=drop_run("ab", "comparison", "verdict.json", run="1-1"),
    )
    yield case(
        "compare-more-looks",
        f"{_AB} --looks 1,2,3",
        f"{_BINS} compare-looks/ab",
        setup=drop_run("ab", "comparison", "verdict.json", run="1-2"),
    )


def _refused() -> Iterator[Case]:
    needs = f"{_BINS} @ints/other-val @ints/no-val run=train-kept/run"
    yield from refusals("compare-usage", 2, needs, _USAGE)


_USAGE = (
    "compare",
    "compare whole clean",
    "compare whole -o ab",
    "compare whole nothing -o ab",
    "compare whole run -o ab",
    f"{_AB} --seeds 2 --looks 1,2",
    f"{_AB} --looks 3,2",
    f"{_AB} --looks few",
    f"{_AB} --seeds 0",
    f"{_AB} --delta 0",
    f"{_AB} --not-worse-by 0",
    f"{_AB} --seed-sd 0",
    f"{_AB} --vary dropout=0,0.1",
    "compare whole -o ab {tiny} --vary seed=1,2",
    "compare whole -o ab {tiny} --vary dropout=0",
    "compare whole -o ab {tiny} --vary dropout=0,0",
    "compare whole -o ab {tiny} --vary dropouts=0,1",
    "compare whole -o ab {tiny} --vary label_smoothing=0,1",
    "compare whole -o ab {tiny} --vary n_layer+n_embd=1,2",
    "compare whole -o ab {tiny} --vary words",
    "compare whole -o ab {tiny} --vary dropout+dropout=0+0,1+1",
    "compare whole -o ab {tiny} --vary max_iters=2,4 --tokens 1k",
    f"{_AB} --devices gpu",
    f"{_AB} --devices cuda:7",
    f"{_AB} --label_smoothing=1",
    f"{_AB} --tokens 1M",
    f"{_AB} --block_size 90000",
    "compare whole other-val -o ab {tiny}",
    "compare no-val no-val -o ab {tiny}",
    f"{_AB} --held-out-documents 0",
    f"{_AB} --held-out nothing",
    f"{_AB} --config no.toml",
)
