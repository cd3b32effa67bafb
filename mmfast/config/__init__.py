"""What the engine is told: layered files, checked as one, refused as one. Units stand in every name."""

from mmfast.config.fault import ConfigError
from mmfast.config.load import load
from mmfast.config.root import EngineConfig

__all__ = ["ConfigError", "EngineConfig", "load"]
