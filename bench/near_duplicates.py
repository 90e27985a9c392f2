"""One tool removes the near-duplicates of a file of texts; timed from texts in memory to the rows it drops.

Called by curation.py, a process a run: `python bench/near_duplicates.py TOOL TEXTS.json OUT.json`.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

THRESHOLD = 0.8
PERMUTATIONS = 128
WARM_UP = 2_000
"""Texts that every tool sees before the clock runs: compilers, caches, lazy imports."""


def tunesmith(texts: list[str]) -> list[int]:
    """Five-character shingles, 128 one-byte MinHash values, every candidate's true similarity."""
    from tunesmith.core.similarity import near_duplicates

    return near_duplicates(texts, THRESHOLD).positions.tolist()


def rensa(texts: list[str]) -> list[int]:
    """Its README's way to keep unique documents: words, R-MinHash, estimated similarity of candidates."""
    from rensa import RMinHashDeduplicator

    keeper = RMinHashDeduplicator(threshold=THRESHOLD, num_perm=PERMUTATIONS, use_lsh=True)
    is_kept = keeper.add_pairs((str(n), text.split()) for n, text in enumerate(texts))
    return [n for n, kept in enumerate(is_kept) if not kept]


def rensa_rho(texts: list[str], bands: int = 8) -> list[int]:
    """Its fastest batch pipeline, with the bands of its README's benchmark; flags whatever shares a band."""
    from rensa import RMinHash, RMinHashLSH

    words = [text.split() for text in texts]
    matrix = RMinHash.digest_matrix_from_token_sets_rho(words, num_perm=PERMUTATIONS, seed=42)
    index = RMinHashLSH(THRESHOLD, PERMUTATIONS, bands)
    flags = index.query_duplicate_flags_matrix_one_shot(matrix)
    return [n for n, flag in enumerate(flags) if flag]


def rensa_rho_16(texts: list[str]) -> list[int]:
    """The same with enough bands to find nearly all."""
    return rensa_rho(texts, bands=16)


def fastsketch(texts: list[str]) -> list[int]:
    """Fast similarity sketches of words; flags whatever shares a band."""
    import numpy as np
    from FastSketchLSH import LSH, FastSimilaritySketch

    sketches = FastSimilaritySketch(PERMUTATIONS, 42).batch([text.split() for text in texts])
    flags = LSH(PERMUTATIONS, 16).insert_and_query_duplicates(np.asarray(sketches, dtype=np.uint64))
    return np.flatnonzero(flags).tolist()


def datasketch(texts: list[str]) -> list[int]:
    """MinHash of words, LSH tuned by the library to the threshold."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    dropped = []
    words = ([word.encode() for word in text.split()] for text in texts)
    for n, sketch in enumerate(MinHash.generator(words, num_perm=PERMUTATIONS)):
        if index.query(sketch):
            dropped.append(n)
        else:
            index.insert(n, sketch, check_duplication=False)
    return dropped


def datatrove(texts: list[str], **settings: int) -> list[int]:
    """Its README's four-step MinHash pipeline, a process a core: runs of five words, 14 bands of 8 values.

    Processes are forked, not started anew as by its default, which costs it some seconds a step.
    """
    import shutil

    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import (
        MinhashConfig,
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter
    from datatrove.utils.hashing import HashConfig

    folder = tempfile.mkdtemp()
    config = MinhashConfig(
        **{"n_grams": 5, "num_buckets": 14, "hashes_per_bucket": 8} | settings,
        hash_config=HashConfig(precision=64),
    )
    cores = os.cpu_count() or 1
    for part in range(cores):
        own = range(part, len(texts), cores)
        rows = [json.dumps({"id": str(n), "text": texts[n]}) + "\n" for n in own]
        Path(folder, f"texts{part}.jsonl").write_text("".join(rows))
    documents = JsonlReader(folder, glob_pattern="texts*.jsonl")

    def run(*steps: object, tasks: int) -> None:
        logs = tempfile.mkdtemp(dir=folder)
        LocalPipelineExecutor(
            list(steps), tasks=tasks, workers=cores, logging_dir=logs, start_method="fork"
        ).run()

    signatures, buckets, drop = (f"{folder}/{name}" for name in ("signatures", "buckets", "drop"))
    run(documents, MinhashDedupSignature(signatures, config), tasks=cores)
    run(MinhashDedupBuckets(signatures, buckets, config=config), tasks=config.num_buckets)
    run(MinhashDedupCluster(buckets, drop, config=config), tasks=1)
    dropped = JsonlWriter(f"{folder}/dropped", compression=None)
    run(documents, MinhashDedupFilter(drop, exclusion_writer=dropped), tasks=cores)
    lines = [line for path in Path(folder, "dropped").rglob("*.jsonl") for line in path.open()]
    shutil.rmtree(folder)
    return [int(json.loads(line)["id"]) for line in lines]


def datatrove_recall(texts: list[str]) -> list[int]:
    """The same set to find more: runs of two words, more and shorter bands."""
    return datatrove(texts, n_grams=2, num_buckets=25, hashes_per_bucket=5)


TOOLS: dict[str, Callable[[list[str]], list[int]]] = {
    "tunesmith": tunesmith,
    "rensa": rensa,
    "rensa_rho": rensa_rho,
    "rensa_rho_16": rensa_rho_16,
    "fastsketch": fastsketch,
    "datasketch": datasketch,
    "datatrove": datatrove,
    "datatrove_recall": datatrove_recall,
}
SLOW = {"datatrove": 20_000, "datatrove_recall": 20_000}
"""Most rows for tools that would take minutes for more; a second or two to start weighs more on them for that."""


def main(name: str, source: str, target: str) -> None:
    """Time one tool and write down what it dropped."""
    texts: list[str] = json.loads(Path(source).read_text())
    tool = TOOLS[name]
    start = time.perf_counter()
    tool(texts[:WARM_UP])
    warm_up = time.perf_counter() - start
    cpu, start = sum(os.times()[:4]), time.perf_counter()
    dropped = tool(texts)
    measured = {
        "rows": len(texts),
        "seconds": time.perf_counter() - start,
        "cpu_seconds": sum(os.times()[:4]) - cpu,
        "warm_up_seconds": warm_up,
        "dropped": dropped,
    }
    Path(target).write_text(json.dumps(measured))


if __name__ == "__main__":
    main(*sys.argv[1:])
