"""Order requests → the venue, and the venue's word on orders, fills and position → the account rings."""
