"""Background work that outlives the window: a folder a job, a supervisor a job, and nothing else shared.

The job folder is the whole protocol (`core.jobs.folder`): whoever wants to know about a job reads it, whoever wants
something of a job writes `control.json`. No pipe, no port, no daemon.
"""

from __future__ import annotations

from core.jobs.control import delete, resume, start, stop
from core.jobs.folder import JobFolder, create
from core.jobs.status import JobInfo, info, list_jobs

__all__ = ["JobFolder", "JobInfo", "create", "delete", "info", "list_jobs", "resume", "start", "stop"]
