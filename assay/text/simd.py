"""Words of the machine: unaligned loads, masks of 64 bytes, wide registers, and one mix of bits.

Kernels address text by the base address of its buffer. Whoever calls them guarantees that 64
bytes after the last byte they are asked for may be read
(`assay.text.buffers.readable_spans`).
LLVM splits the wide vectors for processors that lack them.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.cgutils import raw_memcpy

from assay.kernels import inline, intrinsic

_BYTES_64 = ir.VectorType(ir.IntType(8), 64)


def _load(builder: Any, base: Any, index: Any, kind: ir.Type) -> Any:
    """Load a value of `kind` from any address, aligned or not."""
    pointer = builder.inttoptr(builder.add(base, index), kind.as_pointer())
    return builder.load(pointer, align=1)


def _all(value: int) -> ir.Constant:
    """Return a vector of 64 equal bytes."""
    return ir.Constant(_BYTES_64, [value] * 64)


@intrinsic
def load_8(typing: Any, base: Any, index: Any) -> Any:
    """Load 8 bytes at `base + index` as a little-endian uint64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _load(builder, arguments[0], arguments[1], ir.IntType(64))

    return types.uint64(types.uintp, types.intp), generate


@intrinsic
def copy_bytes(typing: Any, target: Any, source: Any, count: Any) -> Any:
    """Copy `count` bytes from the address `source` to the address `target`, which lie apart."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte = ir.IntType(8).as_pointer()
        to, from_ = (builder.inttoptr(address, byte) for address in arguments[:2])
        raw_memcpy(builder, to, from_, arguments[2], 1)  # type: ignore[no-untyped-call]
        return context.get_dummy_value()

    return types.void(types.uintp, types.uintp, types.intp), generate


@intrinsic
def mask_words(typing: Any, base: Any, index: Any) -> Any:
    """Set bit j where byte j of the 64 at `base + index` is an ASCII letter, digit or `_`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        text = _load(builder, arguments[0], arguments[1], _BYTES_64)
        lower = builder.or_(text, _all(0x20))
        letter = builder.icmp_unsigned("<", builder.sub(lower, _all(ord("a"))), _all(26))
        digit = builder.icmp_unsigned("<", builder.sub(text, _all(ord("0"))), _all(10))
        low_line = builder.icmp_unsigned("==", text, _all(ord("_")))
        word = builder.or_(builder.or_(letter, digit), low_line)
        return builder.bitcast(word, ir.IntType(64))

    return types.uint64(types.uintp, types.intp), generate


@intrinsic
def mask_wide(typing: Any, base: Any, index: Any) -> Any:
    """Set bit j where byte j of the 64 at `base + index` is not ASCII."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        text = _load(builder, arguments[0], arguments[1], _BYTES_64)
        return builder.bitcast(builder.icmp_signed("<", text, _all(0)), ir.IntType(64))

    return types.uint64(types.uintp, types.intp), generate


@intrinsic
def count_trailing_zeros(typing: Any, mask: Any) -> Any:
    """Return the index of the lowest set bit; `mask` must not be 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.intp(types.uint64), generate


def make_permute(num_vectors: int, bits: int = 32) -> Any:
    """Make the kernel that lowers `512 // bits * num_vectors` minima, all kept in registers.

    The kernel's arguments are addresses of unsigned values of `bits` bits (32 or 64), but for the
    second: hashes, their number, multipliers, increments, and minima, which it reads and writes.
    For each hash h and permutation k: minima[k] = min(minima[k], multiplier[k] * h +
    increment[k]), modulo 2**bits. There must be at least one hash.
    """
    single = ir.IntType(bits)
    lanes = ir.VectorType(single, 512 // bits)
    word = ir.IntType(64)
    stride = ir.Constant(word, bits // 8)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        hashes, count, multipliers, increments, minima = arguments
        places = [ir.Constant(word, 64 * vector) for vector in range(num_vectors)]
        scale = [_load(builder, multipliers, place, lanes) for place in places]
        shift = [_load(builder, increments, place, lanes) for place in places]
        first = [_load(builder, minima, place, lanes) for place in places]
        before = builder.block
        loop = builder.append_basic_block("hashes")
        after = builder.append_basic_block("store")
        builder.branch(loop)

        builder.position_at_end(loop)
        index = builder.phi(word)
        lowest = [builder.phi(lanes) for _ in places]
        value = _load(builder, hashes, builder.mul(index, stride), single)
        spread = _spread(builder, value, lanes)
        lowered = []
        for a, b, low in zip(scale, shift, lowest, strict=True):
            permuted = builder.add(builder.mul(spread, a), b)
            below = builder.icmp_unsigned("<", permuted, low)
            lowered.append(builder.select(below, permuted, low))
        following = builder.add(index, ir.Constant(word, 1))
        index.add_incoming(ir.Constant(word, 0), before)
        index.add_incoming(following, loop)
        for low, start, new in zip(lowest, first, lowered, strict=True):
            low.add_incoming(start, before)
            low.add_incoming(new, loop)
        builder.cbranch(builder.icmp_signed("<", following, count), loop, after)

        builder.position_at_end(after)
        for place, new in zip(places, lowered, strict=True):
            pointer = builder.inttoptr(builder.add(minima, place), lanes.as_pointer())
            builder.store(new, pointer).align = bits // 8
        return context.get_dummy_value()

    def permute(typing: Any, hashes: Any, count: Any, a: Any, b: Any, minima: Any) -> Any:
        address = types.uintp
        return types.void(address, types.intp, address, address, address), generate

    return intrinsic(permute)


def _spread(builder: Any, value: Any, lanes: ir.VectorType) -> Any:
    """Copy one value into each lane of a vector."""
    undefined = ir.Constant(lanes, ir.Undefined)
    single = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(
        single,
        undefined,
        ir.Constant(ir.VectorType(ir.IntType(32), lanes.count), [0] * lanes.count),
    )


@inline
def finish_64(value: np.uint64) -> np.uint64:
    """Spread each bit over all others, one to one. Source: MurmurHash3, fmix64 (A. Appleby)."""
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xFF51_AFD7_ED55_8CCD)
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xC4CE_B9FE_1A85_EC53)
    return value ^ (value >> np.uint64(33))
