"""An inference cluster that is a Ray cluster: each endpoint is an application of Ray Serve."""
