"""Assign each document to train or val, or drop it: for which reason, because of which other."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from assay.prepare.split import choose_by_tokens, draw_clusters
from assay.prepare.standing import Standing

REASONS = ("exact", "near", "leaked", "empty")
KEEP = ("longest", "first")
TRAIN, VAL, DROPPED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Selection:
    """What to drop, and what to hold out.

    `drop` has the reasons in force, some of `REASONS`. Held out is a share of clusters, or clusters
    of so many tokens, or whole shards: `share` is None where another decides; `shards` are those
    whose documents are the validation documents, all of them.
    """

    drop: frozenset[str]
    share: float | None = None
    tokens: int | None = None
    shards: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """The fate of N documents, in the audit's order.

    Attributes:
        fate_N: TRAIN, VAL or DROPPED.
        reason_N: One of `REASONS`, "budget", or "" where it is kept.
        because_N: The position of the document in whose favour it was dropped, or -1.
    """

    fate_N: np.ndarray
    reason_N: np.ndarray
    because_N: np.ndarray

    def positions(self, fate: int) -> np.ndarray:
        """Return the positions of the documents with a fate, ascending."""
        return np.flatnonzero(self.fate_N == fate)


def assign_documents(standing: Standing, selection: Selection, seed: int) -> Assignment:
    """Assign every document of an audit.

    Validation documents are the keepers of the clusters held out, whatever `selection.drop` says,
    and nothing else of those clusters is kept: a copy of a held-out document may not be trained
    on. Where shards decide, their documents are held out as they are, and the reason "leaked"
    drops the training documents that share a cluster with one.

    Each document dropped as a copy, or a near one, goes for one that is kept: a copy of a document
    that goes itself is a near duplicate of the one that both go for.
    """
    documents, keeper_of_N = standing.documents, standing.keeper_of_N
    because_N = np.full(documents.height, -1, np.int64)
    reason_N = np.full(documents.height, "", dtype="U8")
    fate_N = np.full(documents.height, TRAIN, np.int8)

    if selection.shards:
        val_N = np.isin(documents["shard"].to_numpy(), selection.shards)
        favoured_N = _anchor_of_cluster(standing.cluster_N, val_N)
    else:
        val_N = standing.keeper_N & _hold_out(standing, selection, seed)
        favoured_N = np.where(val_N[keeper_of_N], keeper_of_N, -1)
    fate_N[val_N] = VAL
    if not selection.shards or "leaked" in selection.drop:
        _drop(fate_N, reason_N, because_N, ~val_N & (favoured_N >= 0), "leaked", favoured_N)

    copy_of_N = _find_first_copies(documents, standing.keeper_N, fate_N == TRAIN)
    if "near" in selection.drop:
        same_N = standing.known.first_N == standing.known.first_N[keeper_of_N]
        _drop(fate_N, reason_N, because_N, (fate_N == TRAIN) & ~same_N, "near", keeper_of_N)
    if "exact" in selection.drop:
        repeated_N = (fate_N == TRAIN) & (copy_of_N != np.arange(documents.height))
        _drop(fate_N, reason_N, because_N, repeated_N, "exact", copy_of_N)
    if "empty" in selection.drop:
        empty_N = (fate_N == TRAIN) & (standing.tokens_N == 0)
        _drop(fate_N, reason_N, because_N, empty_N, "empty", None)
    return Assignment(fate_N, reason_N, because_N)


def limit_train(
    assignment: Assignment, tokens_N: np.ndarray, order: np.ndarray, num_tokens: int
) -> Assignment:
    """Keep training documents, in `order`, until they have `num_tokens`; drop the rest.

    The reason is "budget", also of documents that went for one of those. A smaller budget keeps a
    part of what a larger one keeps.
    """
    before = np.cumsum(tokens_N[order]) - tokens_N[order]
    surplus = order[before >= num_tokens]
    fate_N, reason_N = assignment.fate_N.copy(), assignment.reason_N.copy()
    because_N = assignment.because_N.copy()
    fate_N[surplus] = DROPPED
    reason_N[surplus] = "budget"
    orphaned_N = (because_N >= 0) & (fate_N[because_N] == DROPPED)
    reason_N[orphaned_N] = "budget"
    because_N[orphaned_N] = -1
    return Assignment(fate_N, reason_N, because_N)


def tabulate_dropped(
    documents: pl.DataFrame, assignment: Assignment, val_N: np.ndarray, tier_N: np.ndarray
) -> pl.DataFrame:
    """List dropped documents, each with its reason and the document that stays.

    Args:
        documents: The audit's.
        assignment: Where each goes.
        val_N: Which of them were held out at first.
        tier_N: How those leak that went for that; "" elsewhere.
    """
    positions = assignment.positions(DROPPED)
    because = assignment.because_N[positions]
    other = documents.select(because_shard="shard", because_row="row")
    table: pl.DataFrame = pl.concat(
        [
            documents[positions.tolist()].select("shard", "row", "id", "tokens"),
            pl.DataFrame(
                {
                    "reason": assignment.reason_N[positions].tolist(),
                    "split": np.where(val_N[positions], "val", "train").tolist(),
                    "tier": [tier or None for tier in tier_N[positions].tolist()],
                },
                {"reason": pl.String, "split": pl.String, "tier": pl.String},
            ),
            other[np.maximum(because, 0).tolist()].select(
                pl.when(pl.Series(because >= 0)).then(pl.all())
            ),
        ],
        how="horizontal",
    )
    return table


def _hold_out(standing: Standing, selection: Selection, seed: int) -> np.ndarray:
    """Choose the clusters to hold out: bool, shape (documents,)."""
    documents = standing.documents
    draw_N = draw_clusters(documents["content_hash"], standing.cluster_N, seed)
    draw_N = np.where(documents["bytes"].to_numpy() > 0, draw_N, 2.0)  # empty: nothing to score
    if selection.tokens is not None:
        return choose_by_tokens(draw_N, standing.tokens_N, standing.keeper_N, selection.tokens)
    return np.asarray(draw_N < (selection.share or 0.0))


def _anchor_of_cluster(cluster_N: np.ndarray, chosen_N: np.ndarray) -> np.ndarray:
    """Return, for each document, the first chosen document of its cluster, or -1."""
    anchor = np.full(int(cluster_N.max(initial=0)) + 1, -1, np.int64)
    positions = np.flatnonzero(chosen_N)[::-1]  # the first is written last
    anchor[cluster_N[positions]] = positions
    return np.asarray(anchor[cluster_N])


def _find_first_copies(
    documents: pl.DataFrame, keeper_N: np.ndarray, here_N: np.ndarray
) -> np.ndarray:
    """Return, for each document, the copy of its text that stays: a keeper, else the first.

    Copies are told within the documents of `here_N`; an empty document is its own.
    """
    frame = documents.select("content_hash", "bytes").with_columns(
        pl.Series("position", np.arange(documents.height)),
        pl.Series("rank", np.where(keeper_N, 0, 1)),
        pl.Series("here", here_N),
    )
    stays = pl.col("position").sort_by("rank", "position").first().over("content_hash", "here")
    alone = (pl.col("bytes") == 0) | ~pl.col("here")
    column = pl.when(alone).then(pl.col("position")).otherwise(stays)
    return frame.select(column.alias("copy"))["copy"].to_numpy()


def _drop(
    fate_N: np.ndarray,
    reason_N: np.ndarray,
    because_N: np.ndarray,
    which_N: np.ndarray,
    reason: str,
    favoured_N: np.ndarray | None,
) -> None:
    fate_N[which_N] = DROPPED
    reason_N[which_N] = reason
    if favoured_N is not None:
        because_N[which_N] = favoured_N[which_N]
