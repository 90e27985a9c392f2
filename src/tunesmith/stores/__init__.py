"""What outlives a run: the registry of released models."""
