"""
The header that every record starts with, and the helper that lays records out.

In      the fields of a record.
Out     a numpy dtype whose size is a multiple of 64 bytes and whose fields are naturally aligned.

   byte  0        8      12     16         24            32            40         48
         | seq i8 | kind | inst | src_seq  | ts_exch_ns  | ts_recv_ns  | ts_ns    | payload ...
                    i4     i4

seq         number of the record on its ring (the ring's own publication word)
src_seq     seq of the record this one was computed from, -1 if none: the thread back to the frame
ts_exch_ns  the venue's time of the cause [ns since 1970], 0 if unknown
ts_recv_ns  our monotonic clock when the causing frame reached the socket callback [ns]
ts_ns       our monotonic clock when this record was made [ns]
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

Field = tuple[str, str] | tuple[str, str, tuple[int, ...]]

HEADER: list[Field] = [
    ("seq", "i8"),
    ("kind", "i4"),
    ("inst", "i4"),
    ("src_seq", "i8"),
    ("ts_exch_ns", "i8"),
    ("ts_recv_ns", "i8"),
    ("ts_ns", "i8"),
]

# The way of one decision through the house, each stamp on our monotonic clock [ns].
STAMPS: list[Field] = [("ts_decoded_ns", "i8"), ("ts_belief_ns", "i8"), ("ts_quote_ns", "i8")]

LINE = 64


def record(*payload: Field, size: int) -> np.dtype[Any]:
    """
    A dtype of ``size`` bytes: the header, then ``payload``, then padding.

    Raises
    ------
    ValueError
        If the fields do not fit, if ``size`` is not a multiple of 64 or if a field is not naturally aligned.
    """
    return _laid_out([*HEADER, *payload], size)


def bare(*fields: Field, size: int) -> np.dtype[Any]:
    """Like ``record`` without the header: private state and tables that no ring carries."""
    return _laid_out(list(fields), size)


def _laid_out(fields: list[Field], size: int) -> np.dtype[Any]:
    packed = np.dtype(fields)
    if size % LINE:
        raise ValueError(f"record size {size} is not a multiple of {LINE}")
    if packed.itemsize > size:
        raise ValueError(f"fields take {packed.itemsize} bytes, more than the {size} asked for")
    names = list(packed.names or ())
    offsets = [packed.fields[n][1] for n in names]  # type: ignore[index]
    formats = [packed.fields[n][0] for n in names]  # type: ignore[index]
    for name, fmt, offset in zip(names, formats, offsets):
        if offset % fmt.base.alignment:
            raise ValueError(f"field {name} at byte {offset} is not aligned to {fmt.base.alignment}")
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": size})


def layout_hash(*dtypes: np.dtype[Any]) -> int:
    """63-bit hash of names, formats, offsets and sizes: changes with any change of layout."""
    text = repr([([(n, str(d.fields[n][0]), d.fields[n][1]) for n in d.names], d.itemsize)  # type: ignore
                 for d in dtypes])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1
