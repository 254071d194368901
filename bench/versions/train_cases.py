"""Commands of `assay train`."""

from collections.abc import Iterator

from bench.versions.case import Case, case, refusals
from bench.versions.folders import alter, both, copy, cut, flip, remove, unseal, unseal_run

_BINS = "bins=@ints/whole"
_RUN = "train bins -o run {tiny} --max_iters 12"
_KEPT = f"{_RUN} --keep-checkpoints 6,9 --log-interval 4"
_KEPT_RUN = f"{_BINS} train-kept/run"
_NANOGPT = (
    f"{_RUN} --arch nanogpt --bias true --ckpt-pt --sampling replacement --schedule cosine"
    " --keep-checkpoints all --checkpoint-interval 4 --dropout 0.2"
)
_FROM_KEPT = "train bins -o more --resume-from run/step-6 --max_iters 9 --learning-rate 0.005"
_TORCHRUN = ("-m", "torch.distributed.run", "--nproc-per-node=2", "--master-port=29517")


def train_cases() -> Iterator[Case]:
    """Yield runs of every setting, kept, gone on with, told again, and refused."""
    yield from _settings()
    yield from _places()
    yield from _resumed()
    yield from _from_checkpoints()
    yield from _again()
    yield from _refused()


def _settings() -> Iterator[Case]:
    yield case(
        "train-real", f"{_RUN} --log-interval 4 --eval-interval 6", "bins=prepare-clean/bins/clean"
    )
    yield case(
        "train-wsd",
        f"{_RUN} --arch modern --bias false --dropout 0.1"
        " --gradient_accumulation_steps 2 --learning_rate 0.01 --min_lr 0.001"
        " --optimizer adamw --schedule wsd --cooldown_share 0.5 --warmup_iters 2"
        " --lr_decay_iters 20"
        " --weight_decay 0.05 --beta1 0.8 --beta2 0.9 --grad_clip 0.5 --seed 3"
        " --sampling epochs --dtype float32 --compile false --micro_batch 4 --head plain"
        " --attention auto --deterministic true --eval_batch_size 4 --log-interval 2"
        " --eval-interval 5 --checkpoint-interval 5 --json",
        _BINS,
    )
    yield case(
        "train-nanogpt",
        _NANOGPT,
        _BINS,
    )
    yield case("train-muon", f"{_RUN} --optimizer muon --matrix_lr 0.02 --schedule linear", _BINS)
    yield case(
        "train-extras",
        f"{_RUN} --optimizer muon --momentum 0.9 --softcap 15 --value_embeds true --value_lr 0.1"
        " --residual_scalars true --scalar_lr 0.3",
        _BINS,
    )
    yield case(
        "train-constant",
        f"{_RUN} --schedule constant --learning-rate 0.03 --max-iters 40 --log-interval 0",
        _BINS,
    )
    yield case(
        "train-constant-nanogpt",
        f"{_RUN} --schedule constant --learning-rate 0.01 --arch nanogpt --ckpt-pt --max_iters 40",
        _BINS,
    )
    yield case("train-bfloat16", f"{_RUN} --dtype bfloat16 --micro_batch auto", _BINS)
    yield case("train-float16", f"{_RUN} --dtype float16 --log-interval 1", _BINS)
    yield case(
        "train-size",
        "train bins -o run --size 5m --n-layer 1 --block-size 32 --max-iters 2"
        " --batch-size 2 --device cpu",
        _BINS,
    )
    yield case(
        "train-toml",
        "train bins -o run --config tiny.toml --tokens 2k --device cpu",
        f"{_BINS} @logs/tiny.toml",
    )
    yield case(
        "train-config",
        "train bins -o run --config config.py {tiny} --max_iters 3"
        " --warmup_iters 0 --gradient_accumulation_steps 1",
        f"{_BINS} @logs/config.py",
    )
    yield case("train-no-val", _RUN, "bins=@ints/no-val")


def _places() -> Iterator[Case]:
    yield case("train-kept", _KEPT, _BINS)
    yield case(
        "train-fake-logger", f"{_RUN} --log-to trackio --log-interval 6", _BINS, path=("fakes",)
    )
    yield case(
        "train-diverged", f"{_RUN} --learning_rate 1e38 --grad_clip 0 --warmup_iters 0", _BINS, 5
    )
    yield case(
        "train-torchrun", f"{_RUN} --log-interval 6", _BINS, program=(*_TORCHRUN, "-m", "assay")
    )


def _resumed() -> Iterator[Case]:
    killed = unseal_run("run", 6)
    yield case("train-resumed", _KEPT, _KEPT_RUN, setup=killed)
    yield case(
        "train-resume",
        "train bins -o run --resume --learning-rate 1e-4 --device cpu",
        _KEPT_RUN,
        setup=killed,
    )
    yield case(
        "train-resume-batch",
        "train bins -o run --resume --batch_size 16 --tokens 4k",
        _KEPT_RUN,
        setup=killed,
    )
    yield case(
        "train-resume-windows",
        "train bins -o run --resume --batch_size 16 --device cpu",
        _KEPT_RUN,
        setup=killed,
    )
    yield case("train-resume-other", f"{_KEPT} --dropout 0.3", _KEPT_RUN, 2, setup=killed)
    yield case(
        "train-resume-other-bins", _KEPT, "bins=@ints/little train-kept/run", 2, setup=killed
    )
    yield case(
        "train-resume-damaged",
        _KEPT,
        _KEPT_RUN,
        3,
        setup=both(killed, flip("run/checkpoint-6/model.safetensors")),
    )


def _from_checkpoints() -> Iterator[Case]:
    yield case("train-from-kept", _FROM_KEPT, _KEPT_RUN)
    yield case(
        "train-from-finished",
        "train bins -o more --resume-from run --max_iters 16 --json",
        _KEPT_RUN,
    )
    yield case("train-from-nowhere-to-go", "train bins -o more --resume-from run", _KEPT_RUN, 2)
    yield case("train-from-bins", "train bins -o more --resume-from bins", _KEPT_RUN, 2)
    yield case(
        "train-from-no-moments",
        "train bins -o more --resume-from run --max_iters 16",
        _KEPT_RUN,
        3,
        setup=remove("run/optimizer.safetensors"),
    )
    yield case(
        "train-init",
        "train bins -o tuned --init-from run/step-6 --max_iters 4 --batch_size 8 --device cpu",
        _KEPT_RUN,
    )
    yield case(
        "train-init-ckpt",
        "train bins -o tuned --init-from run/ckpt.pt --max_iters 4 --batch_size 8 --device cpu",
        f"{_BINS} train-nanogpt/run",
    )
    yield case(
        "train-init-shape",
        "train bins -o tuned --init-from run --n_embd 32 --max_iters 4",
        _KEPT_RUN,
        2,
    )
    yield case(
        "train-init-vocabulary",
        "train bins -o tuned --init-from run --max_iters 4",
        "bins=prepare-clean/bins/clean train-kept/run",
        2,
    )


def _again() -> Iterator[Case]:
    yield case("train-again", f"{_KEPT} --micro_batch 2 --eval_batch_size 3", _KEPT_RUN)
    yield case("train-again-json", f"{_KEPT} --json", _KEPT_RUN)
    yield case("train-again-other", f"{_KEPT} --seed 1 --dropout 0.5", _KEPT_RUN, 2)
    yield case("train-again-bins", _KEPT, "bins=@ints/little train-kept/run", 2)
    yield case("train-again-kept", f"{_RUN} --keep-checkpoints 3", _KEPT_RUN, 2)
    yield case("train-again-keeps-more", _RUN, _KEPT_RUN)
    yield case("train-again-moved", f"{_FROM_KEPT} --json", f"{_KEPT_RUN} train-from-kept/more")
    yield case(
        "train-again-moved-other", f"{_FROM_KEPT} --seed 2", f"{_KEPT_RUN} train-from-kept/more", 2
    )
    yield case("train-again-all", _NANOGPT, f"{_BINS} train-nanogpt/run")
    yield case("train-again-no-ckpt", f"{_RUN} --ckpt-pt", _KEPT_RUN, 2)
    yield case("train-again-changed", _KEPT, f"{_BINS} train-resume/run", 2)
    yield case(
        "train-again-checkpoint-left",
        _RUN,
        _KEPT_RUN,
        setup=copy("run/step-6", "run/checkpoint-6"),
    )
    yield case("train-again-resume", f"{_KEPT} --resume", _KEPT_RUN, 2)
    yield case("train-again-cut", _KEPT, _KEPT_RUN, 3, setup=cut("run/model.safetensors"))
    yield case("train-onto-bins", "train bins -o bins {tiny}", _BINS, 2)


def _refused() -> Iterator[Case]:
    files = "@logs/code.py @logs/wrong.toml @logs/unknown.toml"
    yield from refusals("train-usage", 2, f"{_BINS} {files} run=train-kept/run", _USAGE)
    yield case("train-altered-bins", _RUN, _BINS, 3, setup=cut("bins/train.bin"))
    yield case(
        "train-no-tokenizer",
        _RUN,
        _BINS,
        3,
        setup=alter("bins/manifest.json", "tokenizer", value=None),
    )
    yield case(
        "train-unlisted", _RUN, _BINS, 3, setup=alter("bins/manifest.json", "outputs", value=[])
    )
    yield case("train-unfinished-bins", _RUN, _BINS, 3, setup=unseal("bins", "bins"))


_USAGE = (
    "train",
    "train bins",
    "train nothing -o new",
    "train run -o new {tiny}",
    "train bins -o new {tiny} --n_layer many",
    "train bins -o new {tiny} --n_layers 2",
    "train bins -o new {tiny} --tokens lots",
    "train bins -o new {tiny} --tokens 1M --max-iters 5",
    "train bins -o new {tiny} --tokens 1M --lr_decay_iters 5",
    "train bins -o new {tiny} --block_size 90000",
    "train bins -o new {tiny} --config no.py",
    "train bins -o new {tiny} --config bins",
    "train bins -o new {tiny} --config code.py",
    "train bins -o new {tiny} --config wrong.toml",
    "train bins -o new {tiny} --config unknown.toml",
    "train bins -o new {tiny} --size 7B",
    "train bins -o new {tiny} --label-smoothing 0.1",
    "train bins -o new {tiny} --n_head 3",
    "train bins -o new --n_embd 15 --n_head 3",
    "train bins -o new {tiny} --bias true",
    "train bins -o new {tiny} --warmup_iters 5 --max_iters 5",
    "train bins -o new {tiny} --matrix_lr 0.1",
    "train bins -o new {tiny} --arch nanogpt --softcap 15",
    "train bins -o new {tiny} --value_lr 0.1",
    "train bins -o new {tiny} --dtype float16 --head fused",
    "train bins -o new {tiny} --compile tuned --deterministic true",
    "train bins -o new {tiny} --micro_batch 3",
    "train bins -o new {tiny} --min_lr 1",
    "train bins -o new {tiny} --schedule sine",
    "train bins -o new {tiny} --device gpu",
    "train bins -o new {tiny} --device cuda:7",
    "train bins -o new {tiny} --head tiles",
    "train bins -o new {tiny} --attention slow",
    "train bins -o new {tiny} --log-interval -1",
    "train bins -o new {tiny} --log-to mlflow",
    "train bins -o new {tiny} --ckpt-pt",
    "train bins -o new {tiny} --arch nanogpt --optimizer muon --ckpt-pt",
    "train bins -o new {tiny} --keep-checkpoints some",
    "train bins -o new {tiny} --keep-checkpoints 2000",
    "train bins -o new {tiny} --resume",
    "train bins -o new {tiny} --resume --resume-from run",
    "train bins -o new {tiny} --init-from nothing",
    "train bins -o new {tiny} --init-from bins",
)
