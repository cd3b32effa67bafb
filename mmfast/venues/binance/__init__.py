"""Binance USD-M futures as a reference venue: bytes to records, nothing is traded there."""
