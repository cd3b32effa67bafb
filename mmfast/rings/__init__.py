"""Records between processes: the only shared-memory code. One writer each, lock-free, visible from outside."""
