"""Venues: one folder for each exchange's language; pure functions of bytes."""
