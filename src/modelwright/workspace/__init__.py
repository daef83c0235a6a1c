"""What is remembered: drafts, runs, assets, endpoints and people, in one database."""
