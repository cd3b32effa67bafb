"""
Keccak-256, the hash in everything the venue signs.

In      bytes.
Out     32 bytes.
Source  Bertoni et al., "The Keccak reference" (2011): padding 0x01, unlike SHA-3.

Two of them: `keccak256` is pycryptodome's, for everything that is not in a hurry, what comes from outside among it;
`hash_into` is a kernel, for the signature of an order.
"""

from __future__ import annotations

import numpy as np
from Crypto.Hash import keccak as _keccak

from mmfast.kernel import kernel

DIGEST_BYTES = 32
LANES, ROUNDS = 25, 24
RATE_BYTES = 200 - 2 * DIGEST_BYTES


def keccak256(data: bytes) -> bytes:
    """Hash of ``data``."""
    return bytes(_keccak.new(data=data, digest_bits=8 * DIGEST_BYTES).digest())


def _constants() -> np.ndarray:
    """The constants of the rounds, uint64: bit 2^j - 1 of each is the next bit of a shift register."""
    words, register = np.zeros(ROUNDS, np.uint64), 1
    for k in range(ROUNDS):
        for j in range(7):
            words[k] |= np.uint64((register & 1) << ((1 << j) - 1))
            register = (register << 1) ^ (0x171 if register >> 7 else 0)
    return words


CONSTANTS = _constants()


@kernel
def _turn(lane: np.uint64, bits: int) -> np.uint64:
    return lane << np.uint64(bits) | lane >> np.uint64(64 - bits)


@kernel
def _mix(v: np.uint64, w: np.uint64, x: np.uint64, y: np.uint64,
         z: np.uint64) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64, np.uint64]:
    """A row, each lane changed by the two after it (chi)."""
    return v ^ (~w & x), w ^ (~x & y), x ^ (~y & z), y ^ (~z & v), z ^ (~v & w)


@kernel
def permute(state: np.ndarray) -> None:
    """
    Keccak-f of a state of 25 uint64 lanes, in place.

    Rows a to e become v to z: theta (parities p of columns, turned into t), rho and pi (lanes turned and moved); chi
    and iota make them a to e again. As single names, because then they live in registers: a quarter of the time.
    """
    a0, a1, a2, a3, a4 = state[0], state[1], state[2], state[3], state[4]
    b0, b1, b2, b3, b4 = state[5], state[6], state[7], state[8], state[9]
    c0, c1, c2, c3, c4 = state[10], state[11], state[12], state[13], state[14]
    d0, d1, d2, d3, d4 = state[15], state[16], state[17], state[18], state[19]
    e0, e1, e2, e3, e4 = state[20], state[21], state[22], state[23], state[24]
    for k in range(ROUNDS):
        p0 = a0 ^ b0 ^ c0 ^ d0 ^ e0
        p1 = a1 ^ b1 ^ c1 ^ d1 ^ e1
        p2 = a2 ^ b2 ^ c2 ^ d2 ^ e2
        p3 = a3 ^ b3 ^ c3 ^ d3 ^ e3
        p4 = a4 ^ b4 ^ c4 ^ d4 ^ e4
        t0, t1, t2 = p4 ^ _turn(p1, 1), p0 ^ _turn(p2, 1), p1 ^ _turn(p3, 1)
        t3, t4 = p2 ^ _turn(p4, 1), p3 ^ _turn(p0, 1)
        v0 = a0 ^ t0
        v1 = _turn(b1 ^ t1, 44)
        v2 = _turn(c2 ^ t2, 43)
        v3 = _turn(d3 ^ t3, 21)
        v4 = _turn(e4 ^ t4, 14)
        w0 = _turn(a3 ^ t3, 28)
        w1 = _turn(b4 ^ t4, 20)
        w2 = _turn(c0 ^ t0, 3)
        w3 = _turn(d1 ^ t1, 45)
        w4 = _turn(e2 ^ t2, 61)
        x0 = _turn(a1 ^ t1, 1)
        x1 = _turn(b2 ^ t2, 6)
        x2 = _turn(c3 ^ t3, 25)
        x3 = _turn(d4 ^ t4, 8)
        x4 = _turn(e0 ^ t0, 18)
        y0 = _turn(a4 ^ t4, 27)
        y1 = _turn(b0 ^ t0, 36)
        y2 = _turn(c1 ^ t1, 10)
        y3 = _turn(d2 ^ t2, 15)
        y4 = _turn(e3 ^ t3, 56)
        z0 = _turn(a2 ^ t2, 62)
        z1 = _turn(b3 ^ t3, 55)
        z2 = _turn(c4 ^ t4, 39)
        z3 = _turn(d0 ^ t0, 41)
        z4 = _turn(e1 ^ t1, 2)
        a0, a1, a2, a3, a4 = _mix(v0, v1, v2, v3, v4)
        b0, b1, b2, b3, b4 = _mix(w0, w1, w2, w3, w4)
        c0, c1, c2, c3, c4 = _mix(x0, x1, x2, x3, x4)
        d0, d1, d2, d3, d4 = _mix(y0, y1, y2, y3, y4)
        e0, e1, e2, e3, e4 = _mix(z0, z1, z2, z3, z4)
        a0 ^= CONSTANTS[k]
    state[0], state[1], state[2], state[3], state[4] = a0, a1, a2, a3, a4
    state[5], state[6], state[7], state[8], state[9] = b0, b1, b2, b3, b4
    state[10], state[11], state[12], state[13], state[14] = c0, c1, c2, c3, c4
    state[15], state[16], state[17], state[18], state[19] = d0, d1, d2, d3, d4
    state[20], state[21], state[22], state[23], state[24] = e0, e1, e2, e3, e4


@kernel
def hash_into(data: bytes | np.ndarray, start: int, size: int, state: np.ndarray, out: np.ndarray, at: int) -> None:
    """Hash of ``size`` bytes of ``data`` from ``start``, to 32 bytes of ``out`` from ``at``. ``state``: scratch."""
    state[:] = 0
    filled = 0
    for k in range(start, start + size):
        state[filled >> 3] ^= np.uint64(data[k]) << np.uint64(8 * (filled & 7))
        filled += 1
        if filled == RATE_BYTES:
            permute(state)
            filled = 0
    state[filled >> 3] ^= np.uint64(1) << np.uint64(8 * (filled & 7))
    state[RATE_BYTES // 8 - 1] ^= np.uint64(1) << np.uint64(63)
    permute(state)
    for k in range(DIGEST_BYTES):
        out[at + k] = state[k >> 3] >> np.uint64(8 * (k & 7)) & np.uint64(255)
