"""Personal data in texts: `Detector` finds it, `mask` replaces it, `Findings` reports it without repeating it."""
