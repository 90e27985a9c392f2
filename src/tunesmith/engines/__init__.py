"""Engines answer prompts; all of them behind one protocol, `Endpoint`."""
