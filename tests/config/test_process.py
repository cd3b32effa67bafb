"""Claims about [feed], [gateway] and [watchdog]."""

import pytest
from pydantic import ValidationError

from mmfast.config.load import load
from mmfast.config.process import Feed, Gateway, HeartbeatLimit
from mmfast.topology import ENGINE_PROCESSES


@pytest.mark.parametrize("section", [Feed, Gateway])
def test_the_venues_limits_on_connections_are_kept(section):
    shipped = getattr(load(environ={}), section.__name__.lower()).model_dump()
    for name, value in (("max_connects_per_min", 31), ("ping_s", 60.0)):
        with pytest.raises(ValidationError):
            section(**{**shipped, name: value})


def test_every_process_has_a_heartbeat_limit():
    assert tuple(HeartbeatLimit.model_fields) == ENGINE_PROCESSES
