"""One step of training: forward, backward, clip, update. Nothing in it waits for the device.

The exception is float16, whose loss scale must know whether a gradient overflowed.
"""

# B = windows in a micro-batch, T = positions

from collections.abc import Callable

import torch
from torch import Tensor

from assay.errors import UsageError
from assay.formats.train_config import TrainConfig
from assay.train.model.optimizer import make_optimizer
from assay.train.runtime.compiled_model import CompiledModel
from assay.train.runtime.distributed import SINGLE_PROCESS, ProcessGroup

Fetch = Callable[[int, int], tuple[Tensor, Tensor]]
_MIN_SCALE = 1.0  # a loss scale below this: gradients overflow whatever is done


class Stepper:
    """Takes the steps of one run with a compiled model, whose weights it changes in place.

    A step's gradient is the mean over all its windows, however they are cut into micro-batches
    and however many processes share them.
    """

    def __init__(
        self,
        compiled: CompiledModel,
        config: TrainConfig,
        fetch: Fetch,
        group: ProcessGroup = SINGLE_PROCESS,
    ) -> None:
        if config.windows_per_step % group.size:
            raise UsageError(
                f"{group.size} processes cannot share the {config.windows_per_step:,} windows of a "
                "step evenly; change batch_size or gradient_accumulation_steps"
            )
        self.compiled, self.config, self.group = compiled, config, group
        self.optimizer = make_optimizer(compiled.model, config)
        own = config.windows_per_step // group.size
        compiled.model.train()
        self.micro_batch = compiled.choose_micro_batch(config, own)
        self._fetch, self._parts = fetch, own // self.micro_batch
        self._weights = list(compiled.model.parameters())
        half = compiled.dtype == torch.float16
        self.scaler = torch.amp.GradScaler(compiled.device.type, init_scale=2.0**14, enabled=half)
        self.loss = torch.zeros((), device=compiled.device)
        self.norm = torch.zeros((), device=compiled.device)
        self.left_out = 0  # steps that float16's scaler left out
        # The first step whose loss or gradient was no finite number; -1: none so far.
        self.bad_step = torch.full((), -1, dtype=torch.int64, device=compiled.device)

    def take(self, step: int, first_window: int, rate: float) -> None:
        """Take a step on the windows from `first_window` on; sets `loss` and `norm`.

        Both stay on the device; reading them waits for it. Dropout follows from the seed, the
        step and the process alone.
        """
        if self.config.dropout:
            root = self.config.seed * 1_000_003 + step
            torch.manual_seed((root * 4096 + self.group.rank) % (1 << 63))
        self.optimizer.set_learning_rate(rate)
        own = first_window + self.group.rank * self._parts * self.micro_batch
        with self.compiled.use_kernels():
            self.loss = self._accumulate(own)
        self._all_reduce()
        self._update(step)

    def save_scale(self) -> tuple[float, int] | None:
        """Return float16's loss scale and the steps since it changed; None for other dtypes."""
        if not self.is_scaled:
            return None
        state = self.scaler.state_dict()
        return float(state["scale"]), int(state["_growth_tracker"])

    def restore_scale(self, saved: tuple[float, int] | None, left_out: int = 0) -> None:
        """Put back what `save_scale` returned, and how many steps were left out by then."""
        self.left_out = left_out
        if saved is not None and self.is_scaled:
            state = self.scaler.state_dict() | {"scale": saved[0], "_growth_tracker": saved[1]}
            self.scaler.load_state_dict(state)

    @property
    def is_scaled(self) -> bool:
        """Whether the loss is scaled, as in float16: steps may be left out then."""
        return bool(self.scaler.is_enabled())

    def _accumulate(self, first_window: int) -> Tensor:
        """Add up the gradients of this process's windows; return their part of the loss."""
        share = 1.0 / (self._parts * self.group.size)
        loss = torch.zeros((), device=self.compiled.device)
        for part in range(self._parts):
            batch = self._fetch(first_window + part * self.micro_batch, self.micro_batch)
            part_loss = self.compiled.forward(*batch) * share
            self.scaler.scale(part_loss).backward()  # type: ignore[no-untyped-call]
            loss += part_loss.detach()
        return loss

    def _all_reduce(self) -> None:
        """Add loss and gradients up over all processes: one message, not one a weight."""
        if self.group.size == 1:
            return
        grads = [weight.grad for weight in self._weights if weight.grad is not None]
        flat = torch.cat([self.loss.reshape(1), *(grad.reshape(-1) for grad in grads)])
        self.group.all_reduce(flat)
        self.loss = flat[0].clone()
        place = 1
        for grad in grads:
            grad.copy_(flat[place : place + grad.numel()].view_as(grad))
            place += grad.numel()

    def _update(self, step: int) -> None:
        limit = self.config.grad_clip or float("inf")
        for part in self.optimizer.parts:
            self.scaler.unscale_(part)
        self.norm = torch.nn.utils.clip_grad_norm_(self._weights, limit)
        if self.is_scaled:
            wrong = self._step_scaled()
        else:
            wrong = ~torch.isfinite(self.loss + self.norm)
            self.optimizer.step()
        self.bad_step.masked_fill_(wrong & (self.bad_step < 0), step)
        self.optimizer.zero_grad()

    def _step_scaled(self) -> Tensor:
        """Step, unless a scaled gradient overflowed: that is ordinary, and the scale is halved.

        The scaler would leave out only the parts of the optimizer that hold the overflow, and
        step the others with gradients clipped to nothing.
        """
        if torch.isfinite(self.norm):
            for part in self.optimizer.parts:
                self.scaler.step(part)
        else:
            self.left_out += 1
        self.scaler.update()
        spent = self.scaler.get_scale() < _MIN_SCALE
        return torch.ones_like(self.loss, dtype=torch.bool) if spent else ~torch.isfinite(self.loss)
