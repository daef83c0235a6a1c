"""Sample pipelines and sample datasets, shipped as data."""
