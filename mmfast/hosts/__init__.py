"""Stages composed into processes: the loops of the estimator and the quoter, and the engine that runs them all."""
