"""Base models: from a reference to weights on disk, a chat template, and a model in memory."""
