"""What a node can do: the contract, parameter types, the library and the palette."""
