"""Pure building blocks and single I/O seams; nothing here knows what fine-tuning is."""
