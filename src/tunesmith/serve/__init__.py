"""Base and adapters behind one OpenAI-compatible endpoint."""
