"""What a user can do: a function for each job, the same for every door."""
