"""
Congestion: who finds room in a block when blocks are full.

In      requests in order of arrival; who signs for whom.
Out     those that go into the block, those that wait for the next one.
Source  the venue's page on rate limits: in congestion an address may use twice its share of the makers' volume of the
        day before. How much room a block has is not on record: here it is one request for each address.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mmfast.sim.accounts import Accounts

if TYPE_CHECKING:
    from mmfast.sim.exchange import Pending


def split(arrived: Iterable[Pending], accounts: Accounts) -> tuple[list[Pending], list[Pending]]:
    """The first request of each address, and the others. Sub-accounts are addresses of their own, agents are not."""
    first: dict[str | None, Pending] = {}
    later = []
    for one in arrived:
        signer = one.request.signer
        owner = accounts.agents[signer][0].address if signer in accounts.agents else signer
        address = one.request.vault or owner
        if first.setdefault(address, one) is not one:
            later.append(one)
    return list(first.values()), later
