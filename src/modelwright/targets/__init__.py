"""Where work can be done: local processes first, clusters behind the same contract."""
