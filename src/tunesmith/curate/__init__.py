"""Raw files -> Dataset + GoldenSet: read, check, deduplicate, split; nothing is lost without a reason."""
