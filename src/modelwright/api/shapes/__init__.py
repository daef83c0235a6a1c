"""What travels over HTTP: typed bodies, with the same fields on every door."""
