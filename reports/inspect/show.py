"""`assay show`: what a folder or file holds; which document holds a token, and where one lies."""

from pathlib import Path
from typing import Any

import click
import polars as pl

from assay.corpus.bins.characters import restore_tokenizer
from assay.errors import UsageError
from assay.formats.bins import SPLITS, Bins, open_bins
from assay.reports.inspect.describe import describe_path
from assay.terminal.numbers import count
from assay.terminal.text import align, dump_json, show_line, show_text

_SHOWN_IDS = 120  # ids of a document that are decoded
_SHOWN_CHARS = 300
MAX_FOUND = 20  # documents of one id that are shown


def find_token(bins: Bins, split: str, token: int) -> dict[str, Any]:
    """Return the document that holds position `token` of a bin, and how its text begins.

    Raises:
        UsageError: The position is not in the bin.
    """
    documents = bins.read_documents(split)
    size = int(documents["end"][-1]) if documents.height else 0
    if not 0 <= token < size:
        raise UsageError(
            f"{bins.folder}/{split}.bin has {count(size)} ids; token must be from 0 to {size - 1}, "
            f"got {token}",
            "token",
        )
    place = int(documents["end"].search_sorted(token, side="right"))
    return {"token": token, **_describe_document(bins, documents, place)}


def find_documents_by_id(bins: Bins, label: str) -> list[dict[str, Any]]:
    """Return the documents of an id, train first, at most 20: ids may repeat.

    Raises:
        UsageError: No document has it.
    """
    found = []
    for split in SPLITS:
        documents = bins.read_documents(split).with_row_index("place")
        for place in documents.filter(pl.col("id") == label)["place"].head(MAX_FOUND).to_list():
            found.append(_describe_document(bins, documents, place))
    if not found:
        raise UsageError(
            f"{bins.folder} holds no document with id {label!r}; dropped.parquet has those dropped"
        )
    return found[:MAX_FOUND]


def _describe_document(bins: Bins, documents: pl.DataFrame, place: int) -> dict[str, Any]:
    row = documents.row(place, named=True)
    tokenizer = restore_tokenizer(bins.manifest.tokenizer)
    start, end = int(row["start"]), int(row["end"])
    ids_T = bins.map_ids(row["split"])[start : min(end - 1, start + _SHOWN_IDS)]
    text = tokenizer.decode(ids_T).decode("utf-8", "replace")
    return {
        "split": row["split"],
        "place": place,
        "start": start,
        "end": end,
        "shard": row["shard"],
        "row": row["row"],
        "id": row["id"],
        "url": row["url"],
        "begins": text[:_SHOWN_CHARS],
    }


def print_document(found: dict[str, Any]) -> str:
    """Lay a found document out for a terminal; control and direction marks become visible."""
    rows = [
        ("document", f"{count(found['place'])} of {found['split']}.bin"),
        ("token range", f"{count(found['start'])} to {count(found['end'])}, end-of-text included"),
        ("from", f"shard {found['shard']} row {count(found['row'])}"),
        ("id", show_line(found["id"], 200)),
        ("url", show_line(found["url"], 200)),
    ]
    # Indented: text at the start of a line could be a command to the reader of a CI log.
    lines = show_text(found["begins"].replace("\r\n", "\n")).splitlines()
    return "\n".join([align(rows), *(f"  {line}" for line in lines)])


@click.command("show")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--token", type=int, metavar="N", help="Bins: the document at position N.")
@click.option(
    "--split", type=click.Choice(SPLITS), default="train", show_default=True, help="With --token."
)
@click.option("--document", metavar="ID", help="Bins: where the document with this id lies.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def show_command(
    path: Path, token: int | None, split: str, document: str | None, as_json: bool
) -> None:
    """Print what PATH holds: a folder that assay wrote, a .bin or a .parquet file.

    \b
    assay show audit/
    assay show bins/clean --token 1000000
    assay show bins/clean --document '<urn:uuid:...>'
    """
    if token is None and document is None:
        facts, text = describe_path(path)
        click.echo(dump_json(facts) if as_json else text)
        return
    if token is not None and document is not None:
        raise click.UsageError("--token and --document exclude each other; choose one")
    bins = open_bins(path)
    found = (
        find_documents_by_id(bins, document or "")
        if token is None
        else [find_token(bins, split, token)]
    )
    click.echo(dump_json(found) if as_json else "\n\n".join(map(print_document, found)))
