"""
Live parameters: how a process takes over parameters that were changed while it runs.

In      the cell of a coin's parameters, the private copy of a process.
Out     the copy, replaced as a whole between two decisions; never half of it.
Source  one look at the cell's version for each decision: the line stays in the cache until somebody writes it.
"""

from __future__ import annotations

from mmfast.kernel import kernel
from mmfast.records.parameters import PARAMETERS
from mmfast.rings import seqlock
from mmfast.rings.atomics import copy

PARAMETERS_BYTES = PARAMETERS.itemsize


@kernel
def refresh(cell: int, known: int, spare: int, target: int) -> int:
    """
    Take over what was written to ``cell`` since version ``known``; the version that is known now.

    ``spare`` is the address of a PARAMETERS record for a load that may give up, ``target`` that of the private copy.
    """
    version = seqlock.version(cell)
    if version == known or version & 1 == 1:
        return known
    loaded = seqlock.load(cell, spare, PARAMETERS_BYTES)
    if loaded <= 0:
        return known
    copy(target, spare, PARAMETERS_BYTES)
    return loaded
