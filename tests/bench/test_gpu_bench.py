"""The GPU benchmark, tried out on the CPU with tiny shapes: what it needs, and what it writes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.gpu_loss import find_shortest
from bench.plain_gpt import PlainGPT
from tests.twins.gpt import gpt2_loss

ROOT = Path(__file__).parent.parent.parent
# The machine with the GPU has torch, numpy and what is carried there: msgspec.
BARE = """
import sys
for name in ("polars", "pyarrow", "tiktoken", "safetensors", "click", "numba", "xxhash", "scipy"):
    sys.modules[name] = None
sys.argv[0] = "bench/gpu_speed.py"
from bench.gpu_speed import main
main()
"""


CONTENDERS = ["--contenders", "plain,nanogpt-dropout,modern+chunked,wrong"]


def run_bare(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BARE, "--device", "cpu", "--small", *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_speed_needs_torch_numpy_and_msgspec_alone(tmp_path: Path) -> None:
    out = tmp_path / "speed.json"

    text = run_bare("--out", str(out), "--profile=modern+chunked", *CONTENDERS)

    facts = json.loads(out.read_text())
    assert list(facts["contenders"]) == ["plain", "nanogpt-dropout", "modern+chunked"]
    assert facts["contenders"]["modern+chunked"]["head"] == "chunked"
    assert facts["failed"] == {"wrong": "KeyError: 'wrong'"}
    for each in facts["contenders"].values():
        assert each["tokens_per_second"] > 0
        assert each["ratio_to_plain"] > 0
    assert "modern+chunked" in text
    assert "aten::mm" in (tmp_path / "kernels-modern-chunked.txt").read_text()


def test_time_to_loss_goes_on_with_the_runs_it_has(tmp_path: Path) -> None:
    ids = (50_256 * np.random.default_rng(0).random(60_000) ** 6).astype(np.uint16)
    ids.tofile(tmp_path / "train.bin")
    ids[:700].tofile(tmp_path / "val.bin")
    out = tmp_path / "loss.json"
    ids[30_000:].tofile(tmp_path / "more.bin")
    words = ["--time-to-loss", "--out", str(out), "--again", "1"]
    words += ["--train", str(tmp_path / "train.bin"), str(tmp_path / "more.bin")]
    words += ["--val", str(tmp_path / "val.bin"), "--plain-rates", "1e-3", "--warmups", "0.5"]
    words += ["--search-steps", "2", "--target-steps", "3", "--budgets", "1,60"]
    words += ["--modern-rates", "1e-2"]

    stopped = json.loads(run_bare(*words, "--seconds", "0"))
    finished = json.loads(run_bare(*words))
    runs = json.loads(out.read_text())["runs"]
    again = json.loads(run_bare(*words, "--seconds", "0"))

    assert "no time for plain rate=0.001" in stopped["unfinished"]
    assert finished["best"] == {"plain": [1e-3, 0.5], "modern": [1e-2, 0.5]}
    assert finished["target"]["loss"] == runs["plain rate=0.001 warmup=2 steps=3"]["loss"]
    assert json.loads(out.read_text())["train_ids"] == 90_000
    assert finished["reached"]["steps"] == 60
    assert finished["reached"]["below_target"] > 0
    assert [each["plain"]["steps"] for each in finished["again"]] == [3]
    assert finished["again"][0]["loss"] != finished["reached"]["loss"]
    assert again == finished
    assert json.loads(out.read_text())["runs"] == runs


@pytest.mark.parametrize(
    ("needed", "shortest", "tried"),
    [(100, 130, [220, 170, 130]), (200, 220, [220, 170]), (250, 280, [220, 280]), (300, None, 2)],
)
def test_the_shortest_budget_is_found_in_few_runs(
    needed: int, shortest: int | None, tried: list[int] | int
) -> None:
    asked: list[int] = []

    def reaches(steps: int) -> bool:
        asked.append(steps)
        return steps >= needed

    assert find_shortest([130, 170, 220, 280], reaches) == shortest
    assert asked == tried or len(asked) == tried


def test_the_plain_loops_model_has_gpt2s_loss() -> None:
    model = PlainGPT(2, 24, 3, 16, 0.1).eval()
    model.reset(0)
    state: dict[str, Tensor] = {
        "transformer.wte.weight": model.tokens.weight,
        "transformer.wpe.weight": model.positions.weight,
        "transformer.ln_f.weight": model.norm.weight,
        "lm_head.weight": model.head.weight,
    }
    names = ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj")
    for place, block in enumerate(model.blocks):
        parts = (block.norm_1, block.qkv, block.out, block.norm_2, block.up, block.down)
        for name, part in zip(names, parts, strict=True):
            state[f"transformer.h.{place}.{name}.weight"] = part.weight
    ids = torch.randint(0, 50_000, (2, 17), generator=torch.Generator().manual_seed(0))

    with torch.no_grad():
        found = model(ids[:, :-1], ids[:, 1:]).item()
        expected = gpt2_loss(state, 3, ids[:, :-1], ids[:, 1:]).item()

    assert found == pytest.approx(expected, abs=1e-4)
