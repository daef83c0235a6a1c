"""What the workspace hands out: frozen values, free of any database."""
