"""One answer for a shell: a JSON request on stdin, JSON lines on stdout, then the process ends and its memory with it.

request  {"model": folder, "prompt": text, "chat": bool, "int8": bool or absent, "sampling": {...}}
answers  {"kind": "text", "text"} ... {"kind": "end", "text": whole, "tokens", "stop_reason", "settings", "weights", ...}
         or {"kind": "error", "message", "hint"}
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.inference.sampling import from_dict


def main() -> int:
    """Answer the request on stdin. What libraries print goes to stderr."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(kind: str, **fields: Any) -> None:
        out.write(json.dumps({"kind": kind, **fields}, ensure_ascii=False) + "\n")
        out.flush()

    try:
        request = json.loads(sys.stdin.read())
        wanted = from_dict(request["sampling"])
        from core.engine import asked, generate

        chatter = generate.load(Path(request["model"]), int8=bool(request.get("int8")))
        if request["chat"]:
            ids = chatter.chat_ids([{"role": "user", "content": request["prompt"]}])
        else:
            ids = chatter.text_ids(request["prompt"])
        text = ""
        for part in chatter.answer(ids, wanted):
            if isinstance(part, asked.Piece):
                text += part.text
                say("text", text=part.text)
            else:
                say("end", text=text, **asked.describe(part))
    except UserError as error:
        say("error", message=error.message, hint=error.hint)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
