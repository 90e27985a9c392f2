"""What `bench/training.py` compares: one file a side, each run in a process of its own."""
