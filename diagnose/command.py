"""`assay diagnose`."""

from pathlib import Path

import click

from assay.options import COUNT
from assay.terminal.text import dump_json, screen_width, show_line


@click.command("diagnose")
@click.argument("log", type=click.Path(path_type=Path))
@click.option(
    "--config",
    metavar="PLAN",
    help="The run's settings: a nanoGPT config file (parsed, never run), TOML, or a manifest "
    "of assay's; overrides may follow, e.g. 'config/train.py --max_iters=20000'.",
)
@click.option("--audit", type=click.Path(path_type=Path), help="An audit of the run's data.")
@click.option("--bins", type=click.Path(path_type=Path), help="Or the bins it was trained on.")
@click.option("--unique-tokens", type=COUNT, help="Or its unique tokens, e.g. 0.73B.")
@click.option(
    "--checkpoint", type=click.Path(path_type=Path), help="A nanoGPT ckpt.pt, instead of --config."
)
@click.option("--format", metavar="NAME", help="The log's format, where it is not recognised.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to save it in.")
@click.option("--json", "as_json", is_flag=True, help="Print the diagnosis as JSON.")
def diagnose_command(
    log: Path,
    config: str | None,
    audit: Path | None,
    bins: Path | None,
    unique_tokens: int | None,
    checkpoint: Path | None,
    format: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Weigh why a loss is flat, by evidence: nothing is trained.

    LOG is the output of a training run (nanoGPT, llm.c, modded-nanogpt, nanochat, build-nanogpt),
    a trainer_state.json, CSV or JSON lines with steps and losses, a TensorBoard or offline wandb
    run; a folder with one of these, or a run of assay's; or - for standard input. What can be
    said depends on what is given:

    \b
    the log alone             train against val, turns, spikes, NaN, noise
    with --config             parameters, tokens seen, learning rate, a forecast
    with --audit (or --bins   epochs, what repeats cost, what can be memorised,
      or --unique-tokens)     leaks

    Each hypothesis comes with the evidence for and against it, what is missing, and the
    experiment that would decide it. None is certain or refuted without direct evidence.

    \b
    assay diagnose train.log --config config/train_gpt2.py --unique-tokens 0.73B
    assay diagnose train.log --config 'config/mine.py --n_layer=6' --audit audit
    """
    from assay.diagnose.run import weigh_log
    from assay.storage.manifest import MANIFEST
    from assay.storage.recipe import say_again

    weighed = weigh_log(
        log,
        config=config,
        audit=audit,
        bins=bins,
        unique_tokens=unique_tokens,
        checkpoint=checkpoint,
        format=format,
    )
    click.echo(dump_json(weighed.result) if as_json else weighed.describe(screen_width()))
    if output is not None:
        finished = (output / MANIFEST).exists()
        weighed.keep(output)
        click.echo(
            say_again(output, "diagnosis", "written")
            if finished
            else f"saved in {show_line(str(output), 500)}",
            err=True,
        )
