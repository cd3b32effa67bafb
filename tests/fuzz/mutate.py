"""
Mutations of messages: what a broken peer, a changed protocol or an attacker could send.

In      a corpus of good messages, a seed.
Out     an endless row of messages, each made from a good one by one to four changes; the same for the same seed.
Source  the operators of the AFL family of fuzzers, with the tokens of JSON and of decimal numbers.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

NUMBER = re.compile(rb"-?[0-9][0-9.]*")
VALUE = re.compile(rb'"[^"\\]*" ?:|("[^"\\]*"|[0-9.]+|true|false|null)')  # keys are stepped over
TOKENS = (b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b" ", b"\n", b"\0", b"\xff", b"\xc3\x28", b"-", b".", b"e9",
          b"null", b"true", b"[]", b"{}", b'""', b'"\\u0000"', b'"\\ud800"', b"[[[[[[[[", b'{"a":', b"NaN", b"Infinity")
NUMBERS = (b"0", b"-0", b"-1", b"0.0", b"1e5", b"00", b"1.", b".1", b"1..2", b"9" * 17, b"9" * 18, b"9" * 19, b"9" * 40,
           b"9223372036854775807", b"9223372036854775808", b"18446744073709551615", b"18446744073709551616",
           b"0.000000000000000001", b"1.0000000", b"0x10", b"123456789012345678901234567890.5", b"-9223372036854775809")
VALUES = (b"null", b"true", b"false", b"[]", b"{}", b'""', b"0", b"1", b"-1", b"1.5", b"1e400", b'"1"', b'"-1"', b'"0"',
          b'"BTC"', b'"B"', b'"\\u0000"', b'"\\ud800"', b"18446744073709551615", b"9223372036854775808", b"9" * 40,
          b'"' + b"x" * 300 + b'"')
CHANGES_MAX = 4
QUOTE = 34
LENGTH_MAX = 20_000


class Mutator:
    """An endless row of changed messages; ``seed`` decides all of it."""

    def __init__(self, corpus: Sequence[bytes], seed: int) -> None:
        self.corpus = list(corpus)
        self._random = random.Random(seed).random
        self._values = [[found.span(1) for found in VALUE.finditer(message) if found[1]] for message in self.corpus]
        self._changes = (self._flip, self._overwrite, self._cut, self._double, self._insert, self._end, self._splice,
                         self._number, self._value, self._value, self._number, self._swap)

    def below(self, bound: int) -> int:
        """A whole number from 0 to ``bound`` - 1."""
        return int(self._random() * bound)

    def pick(self) -> int:
        """The index of a message of the corpus."""
        return self.below(len(self.corpus))

    def changed(self, index: int) -> bytes:
        """The message of the corpus at ``index``, changed: every other time in its values only, so that it gets far."""
        made, times = bytearray(self.corpus[index]), 1 + self.below(CHANGES_MAX)
        if self._random() < 0.5 and self._values[index]:
            places = {self._values[index][self.below(len(self._values[index]))] for _ in range(times)}
            for start, end in sorted(places, reverse=True):
                self._put_value(made, start, end)
        else:
            for _ in range(times):
                self._changes[self.below(len(self._changes))](made)
        return bytes(made[:LENGTH_MAX])

    def _span(self, made: bytearray) -> tuple[int, int]:
        start = self.below(len(made) + 1)
        return start, start + self.below(min(len(made) - start, 1 << self.below(8)) + 1)

    def _flip(self, made: bytearray) -> None:
        if made:
            made[self.below(len(made))] ^= 1 << self.below(8)

    def _overwrite(self, made: bytearray) -> None:
        if made:
            made[self.below(len(made))] = self.below(256)

    def _cut(self, made: bytearray) -> None:
        start, end = self._span(made)
        del made[start:end]

    def _double(self, made: bytearray) -> None:
        start, end = self._span(made)
        made[end:end] = made[start:end]

    def _insert(self, made: bytearray) -> None:
        at = self.below(len(made) + 1)
        made[at:at] = TOKENS[self.below(len(TOKENS))]

    def _end(self, made: bytearray) -> None:
        del made[self.below(len(made) + 1) :]

    def _splice(self, made: bytearray) -> None:
        other = self.corpus[self.pick()]
        made[self.below(len(made) + 1) :] = other[self.below(len(other) + 1) :]

    def _swap(self, made: bytearray) -> None:
        one, two = sorted((self._span(made), self._span(made)))
        if one[1] <= two[0]:
            made[one[0] : two[1]] = made[two[0] : two[1]] + made[one[1] : two[0]] + made[one[0] : one[1]]

    def _number(self, made: bytearray) -> None:
        found = NUMBER.search(made, self.below(len(made) + 1))
        if found:
            made[found.start() : found.end()] = NUMBERS[self.below(len(NUMBERS))]

    def _value(self, made: bytearray) -> None:
        found = VALUE.search(made, self.below(len(made) + 1))
        if found and found[1]:
            self._put_value(made, *found.span(1))

    def _put_value(self, made: bytearray, start: int, end: int) -> None:
        """Another value in place of one; a number in quotes becomes another one every other time."""
        if made[start] == QUOTE and NUMBER.match(made, start + 1) and self._random() < 0.5:
            made[start + 1 : end - 1] = NUMBERS[self.below(len(NUMBERS))]
        else:
            made[start:end] = VALUES[self.below(len(VALUES))]
