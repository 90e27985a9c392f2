"""What has been spent, and whether the next request could go beyond the budget."""

from tunesmith.curate.synthesis.config import BudgetConfig
from tunesmith.curate.synthesis.ledger import Paid
from tunesmith.engines.endpoint import Completion, Generation
from tunesmith.engines.remote_config import RemoteConfig

CHARACTERS_PER_TOKEN = 3
"""Few, so that an estimate is rather too high than too low."""


class Spending:
    """Counts on from what was paid before, whatever for, and holds back what is under way."""

    def __init__(self, budget: BudgetConfig | None, paid: Paid) -> None:
        """Begin a run.

        Args:
            budget: The ceiling of all runs together.
            paid: What earlier runs have paid.
        """
        self._budget = budget or BudgetConfig.model_construct(tokens=None, money=None)
        self.requests = self.cached = 0
        self.prompt_tokens, self.answer_tokens, self.money = paid
        self.is_exhausted = False
        """Whether a request was held back because it could have gone beyond the budget."""
        self._tokens_under_way = 0
        self._money_under_way = 0.0
        self._counted: set[str] = set()

    @property
    def tokens(self) -> int:
        """Prompt and answer tokens of all runs so far."""
        return self.prompt_tokens + self.answer_tokens

    def reserve(self, config: RemoteConfig, request: Generation) -> bool:
        """Whether the longest answer this request could get still fits; if so it is held back until `settle`."""
        prompt, answer = estimate(request)
        tokens, money = prompt + answer, config.cost(prompt, answer)
        limit = self._budget
        over_tokens = limit.tokens is not None and (
            self.tokens + self._tokens_under_way + tokens > limit.tokens
        )
        over_money = limit.money is not None and (
            self.money + self._money_under_way + money > limit.money
        )
        if over_tokens or over_money:
            self.is_exhausted = True
            return False
        self._tokens_under_way += tokens
        self._money_under_way += money
        return True

    def release(self, config: RemoteConfig, request: Generation) -> None:
        """The request is over."""
        prompt, answer = estimate(request)
        self._tokens_under_way -= prompt + answer
        self._money_under_way -= config.cost(prompt, answer)

    def add(self, config: RemoteConfig, key: str, answer: Completion, *, is_cached: bool) -> None:
        """Count a request once, however often its answer is used, and its cost if it was paid just now."""
        if key not in self._counted:
            self._counted.add(key)
            self.requests += 1
            self.cached += is_cached
        if not is_cached:
            self.prompt_tokens += answer.prompt_tokens
            self.answer_tokens += answer.completion_tokens
            self.money += config.cost(answer.prompt_tokens, answer.completion_tokens)

    def note(self) -> str:
        """The cost of all runs so far, in a few words."""
        money = f", {self.money:.2f} in money" if self.money else ""
        return f"{self.tokens:,} tokens{money}"


def estimate(request: Generation) -> tuple[int, int]:
    """At most about so many prompt and answer tokens."""
    characters = len(request.text) + sum(len(turn.content) for turn in request.messages)
    schema = len(str(request.json_schema)) if request.json_schema else 0
    return (characters + schema) // CHARACTERS_PER_TOKEN + 8, request.max_tokens
