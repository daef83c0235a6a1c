"""How a graph becomes results: plan, keys and reuse, runner, worker, events."""
