"""`assay demo`: the whole chain on text that is here already, with no network."""

import shutil
import sys
from pathlib import Path

import click

from assay.errors import AssayError, UsageError

_MODEL = {
    "n_layer": 2,
    "n_head": 2,
    "n_embd": 64,
    "block_size": 128,
    "batch_size": 16,
    "learning_rate": 3e-3,
}


@click.command("demo")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("demo-out"),
    show_default=True,
    help="Folder to write; the folders of an earlier demo in it are replaced.",
)
@click.option("--tokens", type=int, default=100_000, show_default=True, help="Trained on in a run.")
@click.option("--seeds", type=int, default=3, show_default=True, help="Runs of each arm.")
def demo_command(output: Path, tokens: int, seeds: int) -> None:
    """Audit, prepare, compare and report, on Python's own documentation.

    Writes two shards of docstrings (real prose with genuine duplicates), audits them, prepares a
    raw and a clean dataset, trains a tiny model on both, on the CPU, and prints the verdict.
    Every step is a command that you can run on your own shards.
    """
    from assay.demo_text import write_demo_shards

    _clear(output)
    shards = output / "shards"
    shards.mkdir(parents=True)
    click.echo(f"writing documentation as parquet to {shards}")
    click.echo(f"{write_demo_shards(shards):,} documents\n")
    audit, raw, clean = output / "audit", output / "bins-raw", output / "bins-clean"
    versus, page = output / "raw-or-clean", output / "report.html"
    _run("audit", shards, "-o", audit)
    _run("prepare", audit, "-o", raw, "--drop", "none", "--val-share", "0.03")
    _run("prepare", audit, "-o", clean, "--drop", "exact,near,leaked,empty", "--val-share", "0.03")
    _run("verify", clean, "--deep")
    options = {"tokens": tokens, "seeds": seeds, **_MODEL, "device": "cpu"}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    _run("compare", raw, clean, "-o", versus, *words)
    _run("report", audit, raw, clean, versus, "-o", page)
    click.echo(f"\nThe report: {page}")
    click.echo("A tiny model on little text: this shows the way, not what your data would do.")


def _clear(output: Path) -> None:
    """Remove an earlier demo; refuse to touch a folder that is something else."""
    mark = output / ".assay-demo"
    if output.exists():
        if any(output.iterdir()) and not mark.exists():
            raise UsageError(f"{output} is not empty and no demo's; name another folder with -o")
        shutil.rmtree(output)
    output.mkdir(parents=True)
    mark.touch()


def _run(*arguments: object) -> None:
    from assay.cli import run

    words = [str(argument) for argument in arguments]
    click.echo(f"$ assay {' '.join(words)}")
    sys.stdout.flush()
    if code := run(words):
        raise AssayError(f"assay {words[0]} ended with exit code {code}")
    click.echo("")
