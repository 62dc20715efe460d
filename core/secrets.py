"""Keys to accounts, kept out of what is written down: error texts, logs, reports. Servers and libraries echo keys in their complaints.

Knows keys by their looks and by the environment; whoever has got one from elsewhere names it. Finds none and stores none.
"""

from __future__ import annotations

import os
import re

HIDDEN = "[key]"
VARIABLES = ("OPENAI_API_KEY", "GOSMITH_API_KEY", "HF_TOKEN")
SHORTEST = 8
"""Characters of what can be a key: anything shorter would black out half of a text."""
_LOOKS = re.compile(r"(?:(?<![\w-])(?:sk-|hf_)|\bBearer\s+)[^\s\"'<>,;\\]{4,}")


def hide(text: str, *known: str) -> str:
    """The text without these keys, without those in the environment, and without what looks like one."""
    for key in (*known, *(os.environ.get(name, "").strip() for name in VARIABLES)):
        if len(key) >= SHORTEST:
            text = text.replace(key, HIDDEN)
    return _LOOKS.sub(HIDDEN, text)
