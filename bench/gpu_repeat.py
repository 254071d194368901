"""How much repeated data costs: unique tokens few against many, at equal tokens seen, on one GPU.

    python bench/gpu_repeat.py BINS_MANY BINS_FEW OUT [--seeds 2] [--tokens 100000000]

The first folder of bins is the baseline. The model has 30M parameters (6 layers of width 384,
6 heads, context 1,024), the batch is 131,072 tokens, AdamW's peak 3e-3, cooldown over the last
30%. Prints tokens a second, peak memory and the verdict; writes `gpu_repeat.json`, the runs and
`verdict.json` into OUT. Another run of the same command goes on where one stopped.

Where scipy is missing the runs are trained and kept; the same command on a machine that has it
(and the same bins) then gives the verdict without training again.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import torch

from assay.bins import open_bins
from assay.train.compare import compare_bins
from assay.train.config import TrainConfig, make_config
from assay.train.loop import Pace
from assay.train.machine import build_machine
from assay.train.runs import open_run

MODEL = {"n_layer": 6, "n_head": 6, "n_embd": 384, "block_size": 1024, "batch_size": 128}


def main() -> None:
    """Run the experiment that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("many", type=Path)
    parser.add_argument("few", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=100_000_000)
    parser.add_argument("--held-out-documents", type=int, default=2000)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--device", default="auto")
    asked = parser.parse_args()
    settings = MODEL | {"batch_size": asked.batch_size, "device": asked.device}
    config = make_config({**settings, "learning_rate": 3e-3}, tokens=asked.tokens)
    asked.out.mkdir(parents=True, exist_ok=True)
    facts = run_experiment(asked, config)
    text = json.dumps(facts, indent=2)
    (asked.out / "gpu_repeat.json").write_text(text + "\n", encoding="utf-8")
    print(text)


def run_experiment(asked: argparse.Namespace, config: TrainConfig) -> dict[str, object]:
    """Compare the two folders; return the figures."""
    arms = [open_bins(asked.many), open_bins(asked.few)]
    machine = build_machine(config, arms[0].vocab_size)
    start = time.monotonic()
    facts: dict[str, object] = {"torch": torch.__version__, "device": str(machine.device)}
    if machine.device.type == "cuda":
        facts["device"] = torch.cuda.get_device_name()
    try:
        made = compare_bins(
            arms,
            asked.out / "comparison",
            config=config,
            seeds=asked.seeds,
            most_held_out=asked.held_out_documents,
            pace=Pace(log=50, evaluate=0, checkpoint=0),
            machine=machine,
            say=lambda line: print(line, file=sys.stderr, flush=True),
        )
        facts["verdict"], facts["sentence"] = made.verdict.verdict, made.verdict.sentence
        facts["losses"] = {arm.name: [each.loss for each in arm.seeds] for arm in made.verdict.arms}
    except ModuleNotFoundError as error:
        facts["verdict"] = f"not yet: no {error.name} here; the runs are kept"
    facts["seconds"] = time.monotonic() - start
    facts["runs"] = describe_runs(asked.out / "comparison" / "runs")
    if machine.device.type == "cuda":
        facts["peak_memory_gib"] = torch.cuda.max_memory_allocated() / 2**30
    return facts


def describe_runs(folder: Path) -> dict[str, object]:
    """Tell of each run: speed in the steady state, loss, tokens seen, epochs."""
    facts: dict[str, object] = {}
    for path in sorted(folder.iterdir()):
        run = open_run(path)
        lines = run.read_metrics()
        speeds = sorted(line["tokens_per_second"] for line in lines[2:] or lines)
        facts[path.name] = {
            "tokens_per_second": speeds[len(speeds) // 2],
            "mfu": lines[-1]["mfu"],
            "train_loss": lines[-1]["loss"],
            **run.manifest.totals,
        }
    return facts


if __name__ == "__main__":
    main()
