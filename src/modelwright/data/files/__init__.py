"""Files of rows, in and out: CSV, TSV, Parquet, JSON lines and Arrow."""
