"""A still market of one coin, and an account in it; a test that needs another makes its own."""

from __future__ import annotations

import pytest
from support.venue import Client, Venue


@pytest.fixture
def venue() -> Venue:
    return Venue()


@pytest.fixture
def client(venue: Venue) -> Client:
    return venue.client()


@pytest.fixture
def maker(client: Client) -> Client:
    """The same, where others take."""
    return client
