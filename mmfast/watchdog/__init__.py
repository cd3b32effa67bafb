"""The only stage that may stop the others: heartbeats, limits, reconciles, the kill switch."""
