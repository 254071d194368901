"""Logs as other programs than nanoGPT write them."""

import json
from collections.abc import Callable, Iterator
from random import Random

from bench.versions.log_shapes import loss_at, rate_at


def _steps(every: int = 20) -> Iterator[tuple[int, float, float]]:
    random = Random(11)
    for step in range(0, 1_001, every):
        yield step, loss_at(step) + random.gauss(0, 0.03), loss_at(step) + random.gauss(0, 0.005)


def _write_llmc() -> str:
    lines = []
    for step, loss, val in _steps():
        if step % 100 == 0:
            lines.append(f"s:{step} tel:{val:.4f}")
        lines.append(f"s:{step} trl:{loss:.4f} lr:{rate_at(step):.6f} norm:{1 + loss % 1:.2f}")
    return "\n".join(lines) + "\n"


def _write_llmc_output() -> str:
    lines = [
        "num_parameters: 124475904 => bytes: 248951808",
        "batch_size B=64 * seq_len T=1024 * num_processes=8 and total_batch_size=524288",
    ]
    for step, loss, val in _steps():
        if step % 100 == 0:
            lines.append(f"val loss {val:.3f}")
        lines.append(
            f"step {step + 1:4d}/1001 | loss {loss:.6f} (+0.10z)| norm 0.50 (+0.10z)| "
            f"lr {rate_at(step):.2e} | 211.50 ms | 47.1% bf16 MFU | 2479000 tok/s"
        )
    return "\n".join(lines) + "\n"


def _write_modded() -> str:
    lines = []
    for step, loss, val in _steps():
        if step % 100 == 0:
            lines.append(f"step:{step}/1000 val_loss:{val:.4f} train_time:{step * 90}ms")
        lines.append(f"step:{step}/1000 train_loss:{loss:.4f} train_time:{step * 90}ms")
    return "\n".join(lines) + "\n"


def _write_nanochat() -> str:
    lines = ["Total batch size 524,288 => gradient accumulation steps: 1"]
    for step, loss, val in _steps():
        if step % 100 == 0:
            lines.append(f"Step {step:05d} | Validation bpb: {val / 3:.4f}")
        lines.append(
            f"step {step:05d}/01000 ({step / 10:.2f}%) | loss: {loss:.6f} | grad norm: 0.3000 | "
            "lrm: 1.00 | dt: 300.00ms | tok/sec: 1,000 | mfu: 40.00"
        )
    return "\n".join(lines) + "\n"


def _write_build_nanogpt() -> str:
    lines = ["total desired batch size: 524288"]
    for step, loss, val in _steps():
        if step % 100 == 0:
            lines.append(f"validation loss: {val:.4f}")
        lines.append(
            f"step {step:5d} | loss: {loss:.6f} | lr {rate_at(step):.4e} | norm: 0.2500 | "
            "dt: 330.50ms | tok/sec: 158000.00"
        )
    return "\n".join(lines) + "\n"


def _write_log_txt() -> str:
    lines = []
    for step, loss, val in _steps():
        if step % 100 == 0:
            lines.append(f"{step} val {val:.4f}")
        lines.append(f"{step} train {loss:.6f}")
    return "\n".join(lines) + "\n"


def _write_trainer_state() -> str:
    history: list[dict[str, float]] = []
    for step, loss, val in _steps():
        history.append(
            {"step": step, "loss": round(loss, 4), "learning_rate": rate_at(step),
             "grad_norm": 1.5, "epoch": step / 500}
        )  # fmt: skip
        if step % 100 == 0:
            history.append({"step": step, "eval_loss": round(val, 4), "epoch": step / 500})
    return json.dumps({"max_steps": 1000, "log_history": history}, indent=2)


def _write_csv() -> str:
    rows = [f"{step},{loss:.4f},{val:.4f},{rate_at(step):.3e}" for step, loss, val in _steps()]
    return "\n".join(['global_step,"run-1 - train/loss",Val/Loss,learning_rate', *rows]) + "\n"


def _write_semicolons() -> str:
    rows = [f"{step};{loss:.4f}".replace(".", ",") for step, loss, _ in _steps()]
    return "\n".join(["step;loss", *rows, "oops;1", ";4,0"]) + "\n"


def _write_json_lines() -> str:
    rows = [json.dumps({"step": step, "loss": loss, "val": {"loss": val}, "lr": rate_at(step)})
            for step, loss, val in _steps()]  # fmt: skip
    return "\n".join([*rows, '{"step": 2000, "lo', "[1]"]) + "\n"


FORMATS: dict[str, tuple[str, Callable[[], str]]] = {
    "llmc": ("main.log", _write_llmc),
    "llmc-output": ("output.log", _write_llmc_output),
    "modded": ("modded.log", _write_modded),
    "nanochat": ("nanochat.log", _write_nanochat),
    "build-nanogpt": ("printed.log", _write_build_nanogpt),
    "log-txt": ("log.txt", _write_log_txt),
    "trainer": ("trainer_state.json", _write_trainer_state),
    "csv": ("export.csv", _write_csv),
    "semicolons": ("sheet.csv", _write_semicolons),
    "jsonl": ("rows.jsonl", _write_json_lines),
}
