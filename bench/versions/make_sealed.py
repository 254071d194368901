"""One small sealed folder of each kind, for the tests of later versions.

    python -m bench.versions.make_sealed OUT --checkout DIR

OUT gets `audit`, `bins`, `run`, `comparison`, `probe` and `diagnosis`, each as its command sealed
it, weights and moments included: models have some 1,800 parameters. Made again, all but the clocks
and what names their sha256 is the same.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.machine import WORK
from bench.versions.integer_bins import draw_documents, seal_bins
from bench.versions.logs import CONFIG, write_nanogpt
from bench.versions.run import make_environment
from bench.versions.shards import write_shard
from bench.versions.texts import ODD_TEXTS, draw_texts, edit_text

_TINY = "--n_layer 1 --n_head 2 --n_embd 8 --block_size 16 --batch_size 8 --device cpu"
_TRAIN = f"{_TINY} --log-interval 20"
# Carried out in order, in a folder with `inputs/`; what each writes is named by its kind.
COMMANDS = (
    "audit inputs/a.parquet --val inputs/val.parquet -o audit",
    "prepare audit -o bins --drop exact,near,leaked,empty",
    f"train inputs/old -o run {_TRAIN} --schedule constant --learning-rate 0.03 --max_iters 60"
    " --keep-checkpoints 40",
    f"compare inputs/old inputs/little -o comparison {_TRAIN} --max_iters 60 --learning_rate 0.03"
    " --seeds 2",
    "probe run --old inputs/old --new inputs/new -o probe --steps 20 --device cpu",
    "diagnose inputs/train.log --config inputs/config.py --audit audit -o diagnosis",
)
KINDS = ("audit", "bins", "run", "comparison", "probe", "diagnosis")


def main(arguments: Sequence[str] | None = None) -> None:
    """Make what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--checkout", type=Path, required=True)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--cache", type=Path, default=WORK / "versions-cache")
    asked = parser.parse_args(arguments)
    if asked.out.exists():
        raise SystemExit(f"{asked.out} is there already: what is sealed stays as it is")
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        write_inputs(here / "inputs")
        (here / "home").mkdir()
        cache = asked.cache.resolve()
        environment = make_environment(asked.checkout.resolve(), here / "home", cache)
        for command in COMMANDS:
            print(f"assay {command}", flush=True)
            words = [asked.python, "-m", "assay", *command.split()]
            subprocess.run(words, cwd=here, env=environment, check=True)
        for kind in KINDS:
            shutil.copytree(here / kind, asked.out / kind)


def write_inputs(folder: Path) -> None:
    """Write a shard with copies, near copies and odd texts, its val shard, bins, and a log."""
    texts = draw_texts(24, 1)
    near = [edit_text(text, 1, place) for place, text in enumerate(texts) if text.count(" ") > 40]
    write_shard(folder / "a.parquet", [*texts, *texts[:4], *near[:4], *ODD_TEXTS])
    write_shard(folder / "val.parquet", [*draw_texts(6, 2), texts[5], near[6]])
    train, val = draw_documents(0, 60, 40), draw_documents(1, 25, 20)
    seal_bins(folder / "old", train, val)
    seal_bins(folder / "little", train[:4], val)
    seal_bins(folder / "new", draw_documents(2, 60, 40), val)
    (folder / "train.log").write_text(write_nanogpt("overfits"))
    (folder / "config.py").write_text(CONFIG)


if __name__ == "__main__":
    main()
