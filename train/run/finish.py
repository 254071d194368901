"""The end of a run: held-out documents scored, weights written, the folder sealed."""

import msgspec

from assay.formats.run import (
    CKPT_PT,
    LOSS_COLUMNS,
    LOSSES,
    METRICS,
    MODEL,
    OPTIMIZER,
    STATE,
    RunTotals,
)
from assay.storage.manifest import enter_file
from assay.storage.tables import write_table
from assay.train.checkpoints import checkpoint as checkpoints
from assay.train.checkpoints.nanogpt_checkpoint import write_nanogpt
from assay.train.run.evaluate import Scores
from assay.train.run.recipe import make_recipe
from assay.train.run.trainer import Trainer
from assay.train.runtime.signals import StopSignals


def finish_run(trainer: Trainer, signals: StopSignals) -> None:
    """Score the held-out documents, write the weights, seal; one process does it.

    Raises:
        Interrupted: A signal asked for it before all were scored; the last step is saved.
    """

    def check() -> None:
        if signals.received:
            trainer.save_checkpoint(kept=False)
            raise trainer.interrupt(signals, trainer.step)

    request, output, retention = trainer.request, trainer.request.output, trainer.request.retention
    scores = trainer.score(check)
    entry = write_table(output / LOSSES, scores.to_table(), LOSS_COLUMNS)
    trainer.save(output, moments=retention.optimizer)
    if retention.ckpt_pt:
        write_nanogpt(
            output / CKPT_PT,
            trainer.compiled.model,
            trainer.stepper.optimizer.adamw,
            config=trainer.config,
            step=trainer.step,
            loss_nats=scores.loss_nats,
        )
    names = [MODEL, STATE, METRICS, *[OPTIMIZER] * retention.optimizer]
    files = [output / name for name in [*names, *[CKPT_PT] * retention.ckpt_pt]]
    for folder in checkpoints.list_kept_checkpoints(output).values():
        files += checkpoints.list_files(folder)
    recipe = make_recipe(
        request.bins,
        request.config,
        changes=trainer.segment.changes,
        init=trainer.init,
        coupled=request.coupled,
    )
    recipe.seal(
        output,
        outputs=[entry, *(enter_file(file, output) for file in files)],
        totals=msgspec.to_builtins(_count(trainer, scores)),
    )
    checkpoints.remove_checkpoints(output)


def _count(trainer: Trainer, scores: Scores) -> RunTotals:
    tokens, stepper = trainer.windows * trainer.order.block_size, trainer.stepper
    coupled = trainer.request.coupled is not None
    return RunTotals(
        steps=trainer.step,
        parameters=trainer.compiled.model.num_parameters,
        tokens_seen=tokens,
        epoch=tokens / trainer.order.num_ids,
        unique_tokens_seen=trainer.order.unique_tokens(trainer.windows),
        schedule=trainer.data.digest(trainer.windows) if coupled else msgspec.UNSET,
        left_out_steps=stepper.left_out if stepper.is_scaled else msgspec.UNSET,
        held_out_documents=int(scores.nats_J.size),
        held_out_tokens=int(scores.tokens_J.sum()),
        loss_nats=scores.loss_nats,
        bits_per_byte=scores.bits_per_byte,
        computed=trainer.computed,
    )
