"""An inference cluster that is a container engine, Docker or Podman: each endpoint is one container."""
