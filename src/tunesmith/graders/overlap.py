"""How much of the expected wording an answer shares: BLEU, chrF and ROUGE-L."""

from tunesmith.graders.grade import Grade, Grader, grader


@grader
def bleu() -> Grader:
    """Sentence BLEU, by sacrebleu with its default (exponential) smoothing."""
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(effective_order=True)

    def grade(answer: str, expected: str) -> Grade:
        score = metric.sentence_score(answer, [expected]).score
        return Grade(_share(score), f"BLEU {score:.1f}")

    return grade


@grader
def chrf() -> Grader:
    """Character n-gram F-score (chrF2), by sacrebleu."""
    from sacrebleu.metrics.chrf import CHRF

    metric = CHRF()

    def grade(answer: str, expected: str) -> Grade:
        score = metric.sentence_score(answer, [expected]).score
        return Grade(_share(score), f"chrF {score:.1f}")

    return grade


@grader
def rouge_l() -> Grader:
    """Longest common subsequence F-score (ROUGE-L), by rouge-score."""
    from rouge_score.rouge_scorer import RougeScorer

    metric = RougeScorer(["rougeL"])

    def grade(answer: str, expected: str) -> Grade:
        score = float(metric.score(expected, answer)["rougeL"].fmeasure)
        return Grade(score, f"ROUGE-L {100 * score:.1f}")

    return grade


def _share(percent: float) -> float:
    """Between 0 and 1; rounding inside the libraries may overshoot 100 by a hair."""
    return min(1.0, max(0.0, percent / 100))
