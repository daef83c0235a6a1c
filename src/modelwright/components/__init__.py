"""What a node can do: the contract, its parameters and the palette."""
