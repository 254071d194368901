"""Tokens a second of our presets beside a plain nanoGPT-style loop, in one process, by turns.

    PYTHONPATH=. python bench/gpu_speed.py [--out FILE] [--contenders plain,modern,...]
    PYTHONPATH=. python bench/gpu_speed.py --cap-gib 11 --contenders nanogpt-dropout
    PYTHONPATH=. python bench/gpu_speed.py --time-to-loss --train T.bin.xz --val V.bin

12 layers of width 384, vocabulary 50,304, context 1,024, 524,288 tokens a step. Each contender
takes 10 steps to warm up; then all take 5 steps by turns until each has 20. Medians, and ratios
to the plain loop, which must itself reach 0.80M tokens/s on an H200, else the comparison is void.
Needs torch, numpy and msgspec; no install.

With `--profile modern,plain` the kernels of two steps of those contenders are listed, the longest
first, into FILE's folder. With `--cap-gib` the allocator is held to that much memory: what a small
card would give. With `--time-to-loss` see gpu_loss.py.
"""

import argparse
import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.gpu_contenders import DEFAULT, Contender, make_contender, median, time_steps

VOID_BELOW = 800_000  # tokens a second of the plain loop on an H200
WARM, TIMED, TURN = 10, 20, 5


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    where = Path(os.environ.get("OUT", "."))
    parser.add_argument("--out", type=Path, help="result; default: $OUT/gpu_speed.json")
    parser.add_argument("--contenders", default=DEFAULT)
    parser.add_argument("--cap-gib", type=float, help="hold the allocator to this much memory")
    parser.add_argument("--profile", default="", help="contenders whose kernels to list")
    parser.add_argument("--seconds", type=float, default=480, help="begin nothing new after this")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="try it out: tiny shapes, two steps")
    parser.add_argument("--time-to-loss", action="store_true")
    from bench.gpu_loss import add_options, find_time_to_loss

    add_options(parser)
    asked = parser.parse_args()
    device = torch.device(asked.device)
    if asked.cap_gib:
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(asked.cap_gib * 2**30 / total)
    name = "gpu_loss.json" if asked.time_to_loss else "gpu_speed.json"
    out = asked.out or where / name
    if asked.time_to_loss:
        find_time_to_loss(asked, device, out)
    else:
        measure_speed(asked, device, out)


def say(line: str) -> None:
    """Print a line of progress."""
    print(line, file=sys.stderr, flush=True)


def measure_speed(asked: argparse.Namespace, device: torch.device, out: Path) -> None:
    """Warm the contenders up, time them by turns, print and write the figures after each turn."""
    begun = time.monotonic()
    # Which ids they are does not matter for speed; a few are frequent, as in text.
    ids_N = (50_256 * np.random.default_rng(0).random(20_000_000) ** 4).astype(np.uint16)
    alive, failed = [], {}
    for name in asked.contenders.split(","):
        if time.monotonic() - begun > 0.7 * asked.seconds:
            failed[name] = "not begun: out of time"
            continue
        try:
            alive.append(warm_up(name, ids_N, device, asked.small))
        except Exception as error:  # one that fails must not take the others' figures with it
            failed[name] = f"{type(error).__name__}: {str(error).splitlines()[0][:300]}"
            say(f"{name} failed: {failed[name]}")
            gc.collect()
    step = 2 if asked.small else WARM
    turns = 1 if asked.small else TIMED // TURN
    for _ in range(turns):
        for contender in alive:
            count = 2 if asked.small else TURN
            contender.seconds += time_steps(contender, step, count, device)
        step += TURN
        write(out, describe(alive, failed, device, asked))
    facts = describe(alive, failed, device, asked)
    write(out, facts)
    print(lay_out(facts))
    for contender in alive:
        if contender.name in asked.profile.split(","):
            name = f"kernels-{contender.name.replace('+', '-')}.txt"
            out.with_name(name).write_text(list_kernels(contender, device), encoding="utf-8")


def list_kernels(contender: Contender, device: torch.device) -> str:
    """List what two steps spend their time on, the longest first."""
    on_cuda = device.type == "cuda"
    kinds = [torch.profiler.ProfilerActivity.CPU]
    if on_cuda:
        kinds.append(torch.profiler.ProfilerActivity.CUDA)
    with torch.profiler.profile(activities=kinds) as found:
        time_steps(contender, 1000, 2, device)
    order = "self_cuda_time_total" if on_cuda else "self_cpu_time_total"
    table = found.key_averages().table(sort_by=order, row_limit=40, max_name_column_width=90)
    return str(table)


def warm_up(name: str, ids_N: np.ndarray, device: torch.device, small: bool) -> Contender:
    """Build a contender, compile it and take its first steps; note the memory it takes."""
    start = time.monotonic()
    others = 0
    if device.type == "cuda":
        torch.cuda.empty_cache()
        others = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
    contender = make_contender(name, ids_N, device, small)
    time_steps(contender, 0, 2 if small else WARM, device)
    if device.type == "cuda":
        contender.facts["peak_gib"] = (torch.cuda.max_memory_allocated() - others) / 2**30
        contender.facts["peak_reserved_gib"] = torch.cuda.max_memory_reserved() / 2**30
    contender.facts["warm_up_seconds"] = time.monotonic() - start
    say(f"{name}: warm after {contender.facts['warm_up_seconds']:.0f} s, {contender.facts}")
    return contender


def describe(
    alive: list[Contender],
    failed: dict[str, str],
    device: torch.device,
    asked: argparse.Namespace,
) -> dict[str, Any]:
    """Put the figures together."""
    on_cuda = device.type == "cuda"
    paces = {c.name: c.facts["tokens_a_step"] / median(c.seconds) for c in alive}
    plain = paces.get("plain")
    contenders: dict[str, Any] = {}
    for each in alive:
        speed = paces[each.name]
        spread = [min(each.seconds), median(each.seconds), max(each.seconds)]
        compiled = each.compiled
        peak = compiled.peak_flops if compiled else None
        contenders[each.name] = {
            "tokens_per_second": speed,
            "milliseconds": [1000 * value for value in spread],
            "steps": len(each.seconds),
            "ratio_to_plain": speed / plain if plain else None,
            "mfu": speed * compiled.flops_per_token / peak if compiled and peak else None,
            **each.facts,
        }
    return {
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(device) if on_cuda else "cpu",
        "cap_gib": asked.cap_gib,
        "small": asked.small,
        "void": plain is not None and plain < VOID_BELOW,
        "contenders": contenders,
        "failed": failed,
    }


def lay_out(facts: dict[str, Any]) -> str:
    """Lay the figures out as a table."""
    lines = [f"{facts['device']}, torch {facts['torch']}; cap {facts['cap_gib']} GiB"]
    lines.append(f"{'':28}{'tokens/s':>12}{'ms a step':>11}{'to plain':>9}{'mfu':>6}  GiB")
    for name, each in facts["contenders"].items():
        ratio, mfu = each["ratio_to_plain"], each["mfu"]
        lines.append(
            f"{name:28}{each['tokens_per_second']:12,.0f}{each['milliseconds'][1]:11.1f}"
            f"{'-' if ratio is None else format(ratio, '.3f'):>9}"
            f"{'-' if mfu is None else format(mfu, '.2f'):>6}  {each.get('peak_gib', 0):.2f}"
            f"  (micro-batch {each['micro_batch']}, head {each['head']})"
        )
    lines += [f"{name}: {why}" for name, why in facts["failed"].items()]
    if facts["void"]:
        lines.append(f"VOID on an H200: the plain loop is below {VOID_BELOW:,} tokens/s")
    return "\n".join(lines)


def write(out: Path, facts: dict[str, Any]) -> None:
    """Write the figures so far."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
