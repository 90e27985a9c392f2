"""Numbers that are told apart by how their digits are grouped."""

import re

GROUPS = re.compile(r"\d+")
EXTENSION = re.compile(r"\s?,?\s?(?:x|ext|dw|durchwahl|poste|ramal|toestel|anexo)", re.IGNORECASE)


def phone(text: str) -> bool:
    """7 to 15 digits that are neither years (1990-2000) nor one round amount (10 000 000)."""
    groups = GROUPS.findall(EXTENSION.split(text)[0])
    if not 7 <= sum(map(len, groups)) <= 15:
        return False
    if all(len(group) == 4 and group[:2] in {"18", "19", "20"} for group in groups):
        return False
    return not (len(groups) > 1 and all(group == "000" for group in groups[1:]))
