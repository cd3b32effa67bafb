"""The command line: verbs, exit codes, and what a human sees of an engine."""
