"""How any process lives: counters, heartbeats, histograms, errors, waiting, warm-up, supervision."""
