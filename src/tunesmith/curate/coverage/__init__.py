"""What a dataset covers: its themes, what it repeats, and what the golden set asks that it does not teach."""
