"""The history of the tables, one file for each revision, applied when a workspace is opened."""
