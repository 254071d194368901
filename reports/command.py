"""`assay report`."""

from pathlib import Path

import click

from assay.terminal.text import show_line


@click.command("report")
@click.argument(
    "folders", nargs=-1, required=True, metavar="DIR...", type=click.Path(path_type=Path)
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File to write; - for stdout.",
)
@click.option(
    "--format",
    type=click.Choice(["html", "md", "text", "json"]),
    help="[default: by the file's extension]",
)
@click.option("--no-samples", is_flag=True, help="Leave out all texts.")
@click.option(
    "--show-raw", is_flag=True, help="Show texts and ids as they are, personal data included."
)
def report_command(
    folders: tuple[Path, ...], output: Path, format: str | None, no_samples: bool, show_raw: bool
) -> None:
    """Write what DIRs hold as one page that needs no network.

    DIRs are folders that audit, prepare, train, compare, probe or diagnose wrote, in any order.
    In samples, what looks like personal data (emails, addresses, cards, keys) is redacted; see
    --show-raw.

    \b
    assay report audit/ bins/clean ab -o report.html
    assay report audit/ why/ -o report.html
    assay report audit/ -o - --format text
    """
    from assay.reports.run import choose_format, render_report, write_report

    if no_samples and show_raw:
        raise click.UsageError("--no-samples and --show-raw exclude each other; choose one")
    chosen, samples = format or choose_format(output), not no_samples
    if str(output) == "-":
        click.echo(render_report(folders, format=chosen, samples=samples, raw=show_raw), nl=False)
        return
    written = write_report(folders, output, format=chosen, samples=samples, raw=show_raw)
    click.echo(f"{show_line(str(written), 500)}  {written.stat().st_size:,} bytes")
