"""`assay score`."""

from pathlib import Path

import click

from assay.terminal.text import dump_json
from assay.train.commands.train import held_out_documents, refuse_torchrun, require_torch


@click.command("score")
@click.argument(
    "checkpoints",
    type=click.Path(path_type=Path),
    nargs=-1,
    required=True,
    metavar="CHECKPOINT...",
)
@click.option(
    "--held-out",
    type=click.Path(path_type=Path),
    required=True,
    help="Bins whose val documents to score.",
)
@held_out_documents
@click.option(
    "--trained-on",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Bins of a checkpoint: held-out documents that stand in them are scored apart. Repeat.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps")
@click.option("--json", "as_json", is_flag=True, help="Print each document's loss, as JSON.")
def score_command(
    checkpoints: tuple[Path, ...],
    held_out: Path,
    held_out_documents: int,
    trained_on: tuple[Path, ...],
    device: str,
    as_json: bool,
) -> None:
    """Score each CHECKPOINT on the same held-out documents: a run's folder, or nanoGPT's ckpt.pt.

    Each document is read alone, from its start, in windows of the model's own block; weights are
    used in float32. Bits a byte can be compared between tokenizers, nats a token cannot. One
    checkpoint against another is one seed against one seed: a difference that holds for the data
    takes `assay compare`.

    \b
    assay score run-a run-b --held-out bins/clean
    assay score out/ckpt.pt run-b --held-out bins/clean --trained-on bins/raw
    """
    refuse_torchrun("score")
    require_torch()
    from assay.formats.bins import open_bins
    from assay.train.run.score import (
        check_same_tokenizer,
        describe_scores,
        load_documents,
        score_checkpoints,
    )
    from assay.train.runtime.device import choose_device

    place = choose_device(device)
    bins = open_bins(held_out)
    check_same_tokenizer(checkpoints, bins)
    trained = [open_bins(path) for path in trained_on]
    documents = load_documents(bins, held_out_documents, trained)
    scored = score_checkpoints(checkpoints, documents, place)
    click.echo(dump_json(scored) if as_json else describe_scores(scored))
