"""How much a micro-batch takes of a device's memory, and how much there is."""

import torch

from assay.train.model.gpt import GPT

# Bytes of activations a token, layer and unit of width. Measured on an H200, 12 layers of width
# 384, bfloat16, compiled: 12.4 GiB at 64 windows of 1,024 with a chunked head, 41 bytes.
_BYTES_A_UNIT = 44
_BYTES_A_LOGIT = 4  # a logit and its gradient in half precision
_BYTES_A_PARAMETER = 20  # weight, gradient, two moments in float32; a copy in half precision
_USABLE_SHARE = 0.85
_RESIDENT_SHARE = 0.3  # of the device's free memory that the ids of a bin may take
_MAX_TOKENS = 131_072  # more at once gains nothing: 1.28M tokens/s at 65,536, 1.31M at 131,072
_MIN_TOKENS = 16_384  # fewer at once leave the device idle: rather compute the head in chunks
_CHUNK_ROWS = 8192  # of which a chunked head holds the logits at once


def free_bytes(device: torch.device) -> int:
    """Return the bytes that this process may still take of a CUDA device, a cap regarded."""
    place = torch.cuda.current_device() if device.index is None else device.index
    free, total = torch.cuda.mem_get_info(place)
    held = torch.cuda.memory_reserved(place)
    idle = held - torch.cuda.memory_allocated(place)
    find_share = getattr(torch.cuda, "get_per_process_memory_fraction", None)
    share = float(find_share(place)) if find_share else 1.0
    return max(0, min(free, int(share * total) - held) + idle)


def fits_resident(device: torch.device, num_ids: int) -> bool:
    """Tell whether a bin's ids are to lie on the device whole: on CUDA, where they leave room."""
    return device.type == "cuda" and 2 * num_ids < _RESIDENT_SHARE * free_bytes(device)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Tell whether a device's memory was too small: by torch's word, cuBLAS's or Triton's."""
    words = ("out of memory", "ALLOC_FAILED")
    return isinstance(error, torch.OutOfMemoryError) or any(word in str(error) for word in words)


def estimate_bytes(model: GPT, micro: int, head: str) -> int:
    """Estimate the peak of a training step, weights and moments included."""
    config = model.config
    tokens = micro * config.block_size
    wide = 2 if model.dtype == torch.float32 else 1
    rows = min(tokens, _CHUNK_ROWS) if head == "chunked" else tokens
    activations = tokens * config.n_layer * config.n_embd * _BYTES_A_UNIT * wide
    logits = rows * model.wte.weight.shape[0] * _BYTES_A_LOGIT * wide
    parameters = sum(weight.numel() for weight in model.parameters())
    return activations + logits + parameters * _BYTES_A_PARAMETER


def choose_head(model: GPT, micro: int, free: int) -> str:
    """Choose how the loss is computed: as the settings say, or in chunks where memory is short."""
    if model.config.loss_head != "auto":
        return model.config.loss_head
    # Gradients made early are not scaled by a loss scale: float16 leaves it to autograd.
    fits = estimate_bytes(model, micro, "plain") <= _USABLE_SHARE * free
    return "plain" if fits or model.dtype == torch.float16 else "chunked"


def largest_divisor(whole: int, limit: int) -> int:
    """Return the largest divisor of `whole` that is at most `limit`.

    >>> largest_divisor(12, 5)
    4
    """
    return max(n for n in range(1, min(whole, limit) + 1) if whole % n == 0)


def list_micro_batches(model: GPT, windows: int, free: int) -> list[int]:
    """List micro-batches to try, the best first: divisors of a step's windows.

    The most that fit with whole logits, if that is enough tokens; else the most that fit with
    chunks; then each next that is at most three quarters of the one before it.
    """
    config = model.config
    limit = max(1, _MAX_TOKENS // config.block_size)
    divisors = [n for n in range(min(windows, limit), 0, -1) if windows % n == 0]
    first_head = "plain" if config.head == "auto" else config.loss_head

    def fits(micro: int, head: str) -> bool:
        return estimate_bytes(model, micro, head) <= _USABLE_SHARE * free

    first = next((n for n in divisors if fits(n, first_head)), 1)
    short = first * config.block_size < min(_MIN_TOKENS, divisors[0] * config.block_size)
    if short and config.head == "auto" and model.dtype != torch.float16:
        first = next((n for n in divisors if fits(n, "chunked")), 1)
    tries = [first]
    for micro in divisors:
        if micro <= 0.75 * tries[-1]:
            tries.append(micro)
    return tries
