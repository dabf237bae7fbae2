"""What runs a cell over time: `base` is the contract, `eager` the oracle."""
