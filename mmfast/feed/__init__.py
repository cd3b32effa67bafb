"""Wire bytes → market records on the broadcast ring."""
