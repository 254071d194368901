"""What is done to a folder before a command: unsealed as a kill leaves it, or damaged.

Each function returns a setup of a case: it takes the working folder.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from bench.versions.case import Setup

_MANIFEST, _UNFINISHED = "manifest.json", ".unfinished"


def unseal(name: str, kind: str, *removed: str) -> Setup:
    """Leave a sealed folder as a kill before the seal would, without the files that are named."""

    def change(here: Path) -> None:
        for each in (_MANIFEST, *removed):
            (here / name / each).unlink()
        (here / name / _UNFINISHED).write_text(f"{kind}\n")

    return change


def unseal_run(name: str, step: int) -> Setup:
    """Leave a run as a kill after a checkpoint would: the first kept one becomes its last."""
    written = ("losses.parquet", "model.safetensors", "optimizer.safetensors", "state.json")

    def change(here: Path) -> None:
        unseal(name, "run", *written)(here)
        (here / name / f"step-{step}").rename(here / name / f"checkpoint-{step}")
        for later in (here / name).glob("step-*"):
            shutil.rmtree(later)

    return change


def drop_run(name: str, kind: str, *removed: str, run: str) -> Setup:
    """Leave a comparison or probe as a kill would before its last run began."""

    def change(here: Path) -> None:
        unseal(name, kind, *removed)(here)
        shutil.rmtree(here / name / "runs" / run)

    return change


def both(*setups: Setup) -> Setup:
    """Do one after the other."""

    def change(here: Path) -> None:
        for setup in setups:
            setup(here)

    return change


def rename(name: str, other: str) -> Setup:
    """Give a file another name."""

    def change(here: Path) -> None:
        (here / name).rename(here / other)

    return change


def copy(name: str, other: str) -> Setup:
    """Copy a folder."""

    def change(here: Path) -> None:
        shutil.copytree(here / name, here / other)

    return change


def remove(name: str) -> Setup:
    """Remove a file."""
    return lambda here: (here / name).unlink()


def add(name: str, data: str = "") -> Setup:
    """Write a file, and the folders that it lies in."""

    def change(here: Path) -> None:
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(data)

    return change


def flip(name: str, place: int = -1) -> Setup:
    """Flip the bits of one byte."""

    def change(here: Path) -> None:
        data = bytearray((here / name).read_bytes())
        data[place] ^= 0xFF
        (here / name).write_bytes(data)

    return change


def cut(name: str, bytes_off: int = 2) -> Setup:
    """Cut bytes off a file's end."""

    def change(here: Path) -> None:
        (here / name).write_bytes((here / name).read_bytes()[:-bytes_off])

    return change


def alter(name: str, *keys: str, value: Any) -> Setup:
    """Set a value in a JSON file, at a path of keys."""

    def change(here: Path) -> None:
        whole = json.loads((here / name).read_text())
        inner = whole
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        (here / name).write_text(json.dumps(whole, indent=2) + "\n")

    return change
