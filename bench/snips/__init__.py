"""The SNIPS case that two benchmarks share: its rows, its recipe, its scores."""
