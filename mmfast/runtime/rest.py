"""
REST: one blocking question to the venue, for the start, the end and the last resort.

In      the venue's base URL and a request body.
Out     the decoded answer.
Source  the venue's /info and /exchange endpoints. Nothing on the order path uses this.
"""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

import orjson

TIMEOUT_S = 5.0


class VenueUnreachable(ConnectionError):
    """The venue could not be asked; the message names the address and what happened."""


def ask(base_url: str, path: str, body: Any, timeout_s: float = TIMEOUT_S) -> Any:
    """
    POST ``body`` as JSON to ``base_url`` + ``path`` and decode the JSON answer.

    Raises
    ------
    VenueUnreachable
        If there is no connection, no answer in time, or an answer that is not JSON with status 200.
    """
    payload = fetch(base_url, path, body, timeout_s)
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise VenueUnreachable(f"{base_url}{path}: not JSON: {payload[:80]!r}") from error


def fetch(base_url: str, path: str, body: Any, timeout_s: float = TIMEOUT_S) -> bytes:
    """The answer to a POST as it came, with status 200; VenueUnreachable otherwise."""
    parts = urlsplit(base_url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request("POST", parts.path.rstrip("/") + path, orjson.dumps(body),
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        payload = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise VenueUnreachable(f"{base_url}{path}: {type(error).__name__} {error}") from error
    finally:
        connection.close()
    if response.status != 200:
        raise VenueUnreachable(f"{base_url}{path}: HTTP {response.status} {payload[:120]!r}")
    return payload
