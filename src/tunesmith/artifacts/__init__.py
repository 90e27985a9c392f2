"""The nouns of the lifecycle: frozen, content-addressed, versioned; each knows its parents."""
