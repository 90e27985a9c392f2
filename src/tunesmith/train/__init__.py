"""Dataset -> Adapter: encode, cut into steps, compute only what is trained, keep the best."""
