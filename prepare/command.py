"""`assay prepare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.options import COUNT
from assay.terminal.numbers import count, share
from assay.terminal.text import align, dump_json

if TYPE_CHECKING:
    from assay.formats.bins import BinsTotals


@click.command("prepare")
@click.argument("audit", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to write.")
@click.option(
    "--drop",
    default="exact,near,leaked,empty",
    show_default=True,
    help="What to leave out: none, or some of exact, near, leaked, empty.",
)
@click.option(
    "--keep",
    type=click.Choice(["longest", "first"]),
    default="longest",
    show_default=True,
    help="Which of documents that repeat each other is kept.",
)
@click.option(
    "--threshold",
    type=float,
    help="Another Jaccard than the audit's at or above which texts are near duplicates: no lower.",
)
@click.option("--val-share", type=float, help="Share of clusters to hold out. [default: 0.005]")
@click.option("--val-tokens", type=COUNT, help="Or: hold out clusters until they have N tokens.")
@click.option("--val", multiple=True, help="Or: audited shards to hold out whole.")
@click.option(
    "--train-tokens", type=COUNT, help="Keep training documents until they have N tokens."
)
@click.option(
    "--ngram",
    metavar="words:N|none",
    help="Words in a row that val may not share with train, as the audit counts leaks; none: "
    "nothing is looked for.  [default: the audit's]",
)
@click.option(
    "--boilerplate",
    type=click.IntRange(1),
    metavar="N",
    help="What stands in more than N clusters of train is boilerplate, and no leak.  "
    "[default: the audit's]",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Decides split and order.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["nanogpt"]),
    default="nanogpt",
    show_default=True,
    help="nanogpt: uint16 ids, no header, <|endoftext|> after each document.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be kept; write nothing.")
@click.option("--threads", type=click.IntRange(1), help="[default: one a core]")
@click.option("--json", "as_json", is_flag=True, help="Print the totals as JSON.")
def prepare_command(
    audit: Path,
    output: Path | None,
    form: str,
    dry_run: bool,
    threads: int | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Write train.bin and val.bin from AUDIT, a folder that `assay audit` wrote.

    Clusters of duplicates are never split between train and val, and two datasets from one audit
    with one seed and one --val-share hold out the same documents, whatever --drop says:

    \b
    assay prepare audit/ -o bins/raw --drop none
    assay prepare audit/ -o bins/clean --drop exact,near,leaked
    assay prepare audit/ -o bins/at-0.9 --threshold 0.9    judged again, no scan
    """
    from assay.formats.audit import note_lower_bound, open_audit
    from assay.prepare.held_out_advice import advise_on_held_out
    from assay.prepare.run import plan_bins, prepare_bins

    source = open_audit(audit)
    if dry_run:
        totals = plan_bins(source, threads=threads, **settings)
    elif output is None:
        raise click.UsageError("name a folder with -o, or ask for --dry-run")
    else:
        totals = prepare_bins(source, output, threads=threads, quiet=False, **settings).totals
    click.echo(dump_json(totals) if as_json else describe_totals(totals))
    if settings["threshold"] is not None and (note := note_lower_bound(source)):
        click.echo(note, err=True)
    for line in totals.checks.list_unchecked() if totals.checks else ():
        click.echo(line, err=True)
    if advice := "" if settings["val"] else advise_on_held_out(totals, source.totals):
        click.echo(advice, err=True)
    if dry_run:
        click.echo("nothing was written: --dry-run", err=True)


def describe_totals(totals: BinsTotals) -> str:
    """Say what was kept and dropped, in lines; documents, tokens, and shares of the tokens."""
    whole = totals.tokens_in
    rows = [("in", count(totals.documents_in), count(whole), "")]
    for name, split in (("train", totals.train), ("val", totals.val)):
        note = f"{count(split.ids)} ids, {count(split.unique_tokens)} unique tokens"
        rows.append((name, count(split.documents), count(split.tokens), note))
    for reason, part in totals.dropped.items():
        if part.documents:
            note = share(part.tokens, whole).split(" ")[0] + " of tokens"
            rows.append((f"- {reason}", count(part.documents), count(part.tokens), note))
    width = [max(len(row[i]) for row in rows) for i in (1, 2)]
    lines = [(a, b.rjust(width[0]), c.rjust(width[1]), d) for a, b, c, d in rows]
    checked = f"\n{totals.checks.describe()}" if totals.checks else ""
    across = totals.split_check.exact_across + totals.split_check.near_across
    return (
        align([("", "documents".rjust(width[0]), "tokens".rjust(width[1]), ""), *lines])
        + f"\n{count(across)} of the audit's pairs lie across train and val"
        + checked
    )
