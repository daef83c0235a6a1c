"""Steps that apply models and measure how good they are."""
