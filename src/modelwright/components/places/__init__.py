"""Where data outside the workspace lie: web addresses, folders and object stores, databases."""
