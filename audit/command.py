"""`assay audit`."""

from pathlib import Path
from typing import Any

import click

from assay.console import align, count, dump_json, show_line


@click.command("audit")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder to write."
)
@click.option("--val", multiple=True, metavar="INPUT", help="Validation documents; may repeat.")
@click.option("--text-column", default="text", show_default=True, help="Column with the text.")
@click.option("--tokenizer", default="gpt2", show_default=True, help="An encoding of tiktoken's.")
@click.option(
    "--threshold",
    type=float,
    default=0.8,
    show_default=True,
    help="Jaccard of 5-word shingles from which on two texts are near duplicates.",
)
@click.option("--bands", type=int, default=16, show_default=True, help="Bands of a signature.")
@click.option("--rows", type=int, default=8, show_default=True, help="Values in a band.")
@click.option("--no-token-cache", is_flag=True, help="Do not keep the ids; prepare encodes again.")
@click.option(
    "--invalid-utf8",
    type=click.Choice(["replace", "drop", "stop"]),
    default="replace",
    show_default=True,
    help="What to do with a text that is not UTF-8.",
)
@click.option(
    "--on-bad-shard",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="skip sets unreadable shards aside and ends with exit code 4.",
)
@click.option("--fail-on", multiple=True, metavar="EXPR", help="E.g. leak>0 or exact>0.2: exit 1.")
@click.option("--threads", type=click.IntRange(1), help="[default: one a core]")
@click.option("--json", "as_json", is_flag=True, help="Print totals and findings as JSON.")
@click.pass_context
def audit_command(
    ctx: click.Context,
    inputs: tuple[str, ...],
    output: Path,
    val: tuple[str, ...],
    text_column: str,
    tokenizer: str,
    threshold: float,
    bands: int,
    rows: int,
    no_token_cache: bool,
    invalid_utf8: str,
    on_bad_shard: str,
    fail_on: tuple[str, ...],
    threads: int | None,
    as_json: bool,
) -> None:
    """Measure shards: tokens, lengths, exact and near duplicates, leakage.

    INPUT is a parquet file, a folder, a glob, or a .bin of nanoGPT's or llm.c's. Nothing is
    changed; the folder written is what `assay prepare` and `assay report` read.

    \b
    assay audit shards/ -o audit/
    assay audit train-*.parquet --val val.parquet -o audit/ --fail-on 'leak>0'
    assay audit bins/clean -o audit-of-bins/        train.bin against val.bin
    """
    from assay.audit.run import Settings, audit_shards
    from assay.findings import apply_gates, check_rules, describe_findings

    check_rules(fail_on)
    settings = Settings(
        text_column=text_column,
        tokenizer=tokenizer,
        threshold=threshold,
        bands=bands,
        rows=rows,
        keep_tokens=not no_token_cache,
        invalid_utf8=invalid_utf8,
        on_bad_shard=on_bad_shard,
        threads=threads,
    )
    audit = audit_shards(inputs, output, val=val, settings=settings, quiet=False)
    totals, findings = audit.manifest.totals, audit.read_findings()
    if as_json:
        click.echo(dump_json({"totals": totals, "findings": findings}))
    else:
        click.echo(describe_totals(totals))
        click.echo(describe_findings(findings))
    for line in totals["set_aside"]:
        click.echo(f"set aside: {show_line(line, 500)}", err=True)
    failed = apply_gates(findings, fail_on)
    for line in failed:
        click.echo(line, err=True)
    if failed:
        ctx.exit(1)
    if totals["set_aside"]:
        ctx.exit(4)


def describe_totals(totals: dict[str, Any]) -> str:
    """Say how much there is: a line a shard, and all of them together."""
    shards = totals["shards"]
    rows = [
        (shard["split"], shard["documents"], shard["tokens"], shard["name"]) for shard in shards
    ]
    if len(shards) > 1:
        rows.append(("all", totals["documents"], totals["tokens"], f"{len(shards)} shards"))
    head = ("", "documents", "tokens", "")
    cells = [head] + [(a, count(b), count(c), show_line(d)) for a, b, c, d in rows]
    wide = [max(len(cell[i]) for cell in cells) for i in (1, 2)]
    return align([(a, b.rjust(wide[0]), c.rjust(wide[1]), d) for a, b, c, d in cells]) + "\n"
