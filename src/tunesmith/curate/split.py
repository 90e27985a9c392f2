"""Which side of a split a prompt belongs to; decided by its own hash, so that adding rows moves no other."""

import hashlib


def share_of(key: str, *, purpose: str, seed: int) -> float:
    """A number in [0, 1) that depends on key, purpose and seed alone, evenly spread over keys."""
    digest = hashlib.sha256(f"{purpose}\x1f{seed}\x1f{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def is_held_out(key: str, *, purpose: str, share: float, seed: int) -> bool:
    """Whether this prompt is among the `share` of prompts held out for `purpose`."""
    return share_of(key, purpose=purpose, seed=seed) < share
