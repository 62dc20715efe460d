"""Training and text generation: the only part of core that imports torch.

Nothing is imported here, so that a job pays only for the modules it uses. It opens no database and knows no window:
it reads a job's request, a snapshot's JSON lines and a model folder, and writes into the job's folder.

One thing is set, before any module here loads torch: idle OpenMP threads sleep. By default they spin, and beside a
window or a Go check on the same cores training then runs five times slower (measured: 1,160 against 3,040 tokens/s
with one busy core of two; 10 % is what it costs on an idle machine).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
