"""Openers of native values, a module per kind; `modelwright.data.native` finds them by name."""
