"""A teacher model writes the rows that are missing: new, harder and reworded questions, and answers; each paid once."""
