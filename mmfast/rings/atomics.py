"""
Atomic loads and stores, fences, copies, clocks and waits for nopython code.

In      addresses (int64) and int64 values: numba turns uint64 mixed with int64 into float64.
Out     one machine instruction each; libc calls where the kernel of the system is needed.
Source  LLVM's atomic orderings (LangRef, "Atomic Memory Ordering Constraints"). libc functions are named
        symbols, not ctypes pointers, so that compiled callers can be cached on disk.

Hot code passes addresses, never arrays: an array argument costs reference counts that numba does not
remove from loops. `as_record` gives typed access to the record at an address.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

I1, I8, I32, I64 = ir.IntType(1), ir.IntType(8), ir.IntType(32), ir.IntType(64)
i64 = types.int64
NS_PER_S = ir.Constant(I64, 1_000_000_000)
SYS_FUTEX, FUTEX_WAIT, FUTEX_WAKE = 202, 0, 1  # x86-64


def _word(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, I64.as_pointer())


@intrinsic
def load_acquire(typingctx, address):
    """The word at ``address``; nothing after this load moves before it."""
    def codegen(context, builder, sig, args):
        return builder.load_atomic(_word(builder, args[0]), "acquire", 8, typ=I64)
    return i64(i64), codegen


@intrinsic
def load_unordered(typingctx, address):
    """The word at ``address``, whole but in no order: for words that only their writer and monitors read."""
    def codegen(context, builder, sig, args):
        return builder.load_atomic(_word(builder, args[0]), "monotonic", 8, typ=I64)
    return i64(i64), codegen


@intrinsic
def store_release(typingctx, address, value):
    """Store ``value``; nothing before this store moves after it."""
    def codegen(context, builder, sig, args):
        builder.store_atomic(args[1], _word(builder, args[0]), "release", 8)
        return context.get_dummy_value()
    return types.void(i64, i64), codegen


@intrinsic
def store_unordered(typingctx, address, value):
    """Store ``value`` whole, in no order."""
    def codegen(context, builder, sig, args):
        builder.store_atomic(args[1], _word(builder, args[0]), "monotonic", 8)
        return context.get_dummy_value()
    return types.void(i64, i64), codegen


@intrinsic
def exchange(typingctx, address, value):
    """Store ``value`` and return what was there, in one step, sequentially consistent."""
    def codegen(context, builder, sig, args):
        return builder.atomic_rmw("xchg", _word(builder, args[0]), args[1], "seq_cst")
    return i64(i64, i64), codegen


@intrinsic
def fetch_or(typingctx, address, bits):
    """Set ``bits`` in the word and return what was there before, in one step."""
    def codegen(context, builder, sig, args):
        return builder.atomic_rmw("or", _word(builder, args[0]), args[1], "seq_cst")
    return i64(i64, i64), codegen


@intrinsic
def fetch_and(typingctx, address, bits):
    """Keep only ``bits`` of the word and return what was there before, in one step."""
    def codegen(context, builder, sig, args):
        return builder.atomic_rmw("and", _word(builder, args[0]), args[1], "seq_cst")
    return i64(i64, i64), codegen


@intrinsic
def fetch_add(typingctx, address, value):
    """Add ``value`` to the word and return what was there before, in one step."""
    def codegen(context, builder, sig, args):
        return builder.atomic_rmw("add", _word(builder, args[0]), args[1], "seq_cst")
    return i64(i64, i64), codegen


@intrinsic
def compare_swap(typingctx, address, expected, value):
    """Store ``value`` if the word is ``expected``; true if it was."""
    def codegen(context, builder, sig, args):
        pair = builder.cmpxchg(_word(builder, args[0]), args[1], args[2], "seq_cst", "seq_cst")
        return builder.extract_value(pair, 1)
    return types.boolean(i64, i64, i64), codegen


def _fence(order: str) -> Any:
    def codegen(context, builder, sig, args):
        builder.fence(order)
        return context.get_dummy_value()
    return types.void(), codegen


@intrinsic
def fence_acquire(typingctx):
    """Loads before stay before everything after."""
    return _fence("acquire")


@intrinsic
def fence_release(typingctx):
    """Everything before stays before stores after."""
    return _fence("release")


@intrinsic
def fence_full(typingctx):
    """Nothing moves across: a store before is visible before a load after."""
    return _fence("seq_cst")


@intrinsic
def pause(typingctx):
    """Tell the core that this is a spin loop (x86 ``pause``)."""
    def codegen(context, builder, sig, args):
        kind = ir.FunctionType(ir.VoidType(), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()
    return types.void(), codegen


@intrinsic
def copy(typingctx, target, source, size):
    """Copy ``size`` bytes; volatile, so that a copy of memory another process writes is never split or elided."""
    def codegen(context, builder, sig, args):
        pointer = I8.as_pointer()
        to, of = (builder.inttoptr(a, pointer) for a in args[:2])
        kind = ir.FunctionType(ir.VoidType(), [pointer, pointer, I64, I1])
        memcpy = cgutils.get_or_insert_function(builder.module, kind, "llvm.memcpy.p0.p0.i64")
        builder.call(memcpy, [to, of, args[2], ir.Constant(I1, 1)])
        return context.get_dummy_value()
    return types.void(i64, i64, i64), codegen


@intrinsic
def as_record(typingctx, address, dtype):
    """The record of (global, constant) numpy ``dtype`` at ``address``: a bare pointer, no reference count."""
    if not (isinstance(dtype, types.DType) and isinstance(dtype.dtype, types.Record)):
        return None
    kind = dtype.dtype

    def codegen(context, builder, sig, args):
        return builder.inttoptr(args[0], context.get_value_type(kind))
    return kind(i64, dtype), codegen


@intrinsic
def record_address(typingctx, record):
    """Address of a record."""
    if not isinstance(record, types.Record):
        return None

    def codegen(context, builder, sig, args):
        return builder.ptrtoint(args[0], I64)
    return i64(record), codegen


def _timespec(builder: Any) -> Any:
    return cgutils.alloca_once(builder, ir.ArrayType(I64, 2))


def _part(builder: Any, timespec: Any, index: int) -> Any:
    return builder.gep(timespec, [ir.Constant(I32, 0), ir.Constant(I32, index)])


@intrinsic
def monotonic_ns(typingctx):
    """CLOCK_MONOTONIC [ns], the clock of Python's ``time.monotonic_ns``."""
    def codegen(context, builder, sig, args):
        timespec = _timespec(builder)
        kind = ir.FunctionType(I32, [I32, timespec.type])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "clock_gettime"),
                     [ir.Constant(I32, 1), timespec])
        seconds, nanos = (builder.load(_part(builder, timespec, k)) for k in (0, 1))
        return builder.add(builder.mul(seconds, NS_PER_S), nanos)
    return i64(), codegen


def _libc(symbol: str, count: int, narrow: bool) -> Any:
    """Signature and code of a libc function of ``count`` integers; ``narrow`` if it returns a C int."""
    result = I32 if narrow else I64

    def codegen(context, builder, sig, args):
        kind = ir.FunctionType(result, [I64] * count)
        value = builder.call(cgutils.get_or_insert_function(builder.module, kind, symbol), list(args))
        return builder.sext(value, I64) if narrow else value
    return i64(*[i64] * count), codegen


@intrinsic
def sched_yield(typingctx):
    """Give the core to another runnable process."""
    return _libc("sched_yield", 0, True)


@intrinsic
def write_descriptor(typingctx, descriptor, address, size):
    """write(2): rings the eventfd of a process that sleeps in an event loop."""
    return _libc("write", 3, False)


def _futex(builder: Any, *args: Any) -> Any:
    kind = ir.FunctionType(I64, [I64], var_arg=True)
    syscall = cgutils.get_or_insert_function(builder.module, kind, "syscall")
    padding = [ir.Constant(I64, 0)] * (6 - len(args))
    return builder.call(syscall, [ir.Constant(I64, SYS_FUTEX), *args, *padding])


@intrinsic
def futex_wait(typingctx, address, expected, timeout_ns):
    """Sleep while the low 32 bits at ``address`` equal ``expected``, at most ``timeout_ns`` > 0; then look again."""
    def codegen(context, builder, sig, args):
        timespec = _timespec(builder)
        builder.store(builder.sdiv(args[2], NS_PER_S), _part(builder, timespec, 0))
        builder.store(builder.srem(args[2], NS_PER_S), _part(builder, timespec, 1))
        value = builder.zext(builder.trunc(args[1], I32), I64)
        return _futex(builder, args[0], ir.Constant(I64, FUTEX_WAIT), value, builder.ptrtoint(timespec, I64))
    return i64(i64, i64, i64), codegen


@intrinsic
def futex_wake(typingctx, address, count):
    """Wake up to ``count`` sleepers of ``address``."""
    def codegen(context, builder, sig, args):
        return _futex(builder, args[0], ir.Constant(I64, FUTEX_WAKE), args[1])
    return i64(i64, i64), codegen
