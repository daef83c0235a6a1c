"""What learners share: the policy that turns columns into numbers, solvers, metrics and curves."""
