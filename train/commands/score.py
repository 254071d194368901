"""`assay score`."""

from pathlib import Path

import click

from assay.terminal.text import dump_json
from assay.train.commands.options import PATH, device_option, held_out_documents_option, json_option


@click.command("score")
@click.argument("checkpoints", type=PATH, nargs=-1, required=True, metavar="CHECKPOINT...")
@click.option("--held-out", type=PATH, required=True, help="Bins whose val documents to score.")
@held_out_documents_option
@click.option(
    "--trained-on",
    type=PATH,
    multiple=True,
    help="Training bins: held-out documents that are in them are scored separately; may repeat.",
)
@device_option
@json_option("each document's loss,")
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
    from assay.train.commands.score_text import describe_scores
    from assay.train.run.score import score_checkpoints

    scores = score_checkpoints(
        checkpoints,
        held_out,
        held_out_documents=held_out_documents,
        trained_on=trained_on,
        device=device,
    )
    click.echo(dump_json(scores.checkpoints) if as_json else describe_scores(scores))
