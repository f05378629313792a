"""`jobs`, `worker`: the jobs that ran, run and wait, and the process that carries out those that wait."""

import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import click

from crosstie.cli.commands.sandbox import until_stopped
from crosstie.cli.failing import FAILED_RECORDS
from crosstie.cli.invocation import Command, Group, answered_in_json, leave, opened_home
from crosstie.cli.progress import Progress
from crosstie.cli.terminal import moment, safe, say, words_of
from crosstie.model.errors import InvalidOption

if TYPE_CHECKING:
    from crosstie.app.home import Home
    from crosstie.app.jobs import JobStatus
    from crosstie.model.jobs import Counters, Job

_STOPPED = 4
_LOOK_SECONDS = 0.5
_STANDS_BACK = 5
"""So much nicer is a worker than the server beside it."""
NO_WORKER = "No worker runs: start one with `crosstie worker`."
_WITH_VALUE = ("--home", "--store", "--log-level")


class _Jobs(Group):
    """`crosstie jobs CUSTOMER` lists the jobs of a mapping, `crosstie jobs 12` shows the job of that number."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `list`, or `show`, in front where no command of the group is named."""
        rest = iter(args)
        first = next((arg for arg in rest if not (arg in _WITH_VALUE and next(rest, None)) and arg[:1] != "-"), None)
        if first not in self.commands and not {"--help", "-h"}.intersection(args):
            args = ["show" if first is not None and first.isdecimal() else "list", *args]
        return super().parse_args(ctx, args)


@click.group("jobs", cls=_Jobs)
def jobs_() -> None:
    """The jobs that ran, run and wait: `crosstie jobs [MAPPING]` lists them."""


@jobs_.command("list")
@click.argument("mapping", required=False)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="N", help="Most jobs.")
def list_(mapping: str | None, limit: int) -> None:
    """List jobs, newest first, with their counters. The word `list` may be left away."""
    from crosstie.app.history import list_jobs

    with opened_home() as home:
        found = list_jobs(home, mapping, limit=limit)
    if answered_in_json({"jobs": found}):
        return
    for job in found:
        _print_job(job)
    if not found:
        say("No jobs yet.")


@jobs_.command()
@click.argument("job", type=click.IntRange(min=1), metavar="ID")
@click.option("--wait", is_flag=True, help="Wait until the job is over, and end with its exit code.")
def show(job: int, wait: bool) -> None:
    """Show a job as it is now: how far it is, what it has counted, and the jobs that are parts of it."""
    from crosstie.app.jobs import job_status

    with opened_home() as home:
        found = job_status(home, job)
        if wait:
            found = _wait_for(home, found)
    if not answered_in_json({"job": found.job, "parts": found.parts, "workers": found.workers}):
        _print_job(found.job)
        for part in found.parts:
            _print_job(part)
        if found.job.goes_on and not found.workers:
            say(NO_WORKER)
    leave(_exit_code(found) if wait else 0)


@jobs_.command()
@click.argument("job", type=click.IntRange(min=1), metavar="ID")
def cancel(job: int) -> None:
    """Stop a job: one that waits at once, one that runs at the end of its page. What was done stays."""
    from crosstie.app.jobs import cancel_job

    with opened_home() as home:
        found = cancel_job(home, job)
    if answered_in_json({"job": found}):
        return
    if found.goes_on:
        say(f"Job {found.id} stops at the end of the page that it is at.")
    else:
        say(f"Job {found.id}: {found.state}.")


@jobs_.command()
@click.argument("mapping", required=False)
@click.option("--all", "every", is_flag=True, help="All enabled mappings, each after those it depends on, as one job.")
def run(mapping: str | None, every: bool) -> None:
    """Have a worker synchronise now what changed in MAPPING, as its schedule would do later."""
    from crosstie.app.jobs import run_all_now, run_now

    if every == (mapping is not None):
        raise InvalidOption("Name a mapping, or give --all.", next_step="Do one of the two.")
    with opened_home() as home:
        show_queued(home, run_all_now(home) if mapping is None else run_now(home, mapping))


def show_queued(home: "Home", job: "Job") -> None:
    """Say that a job waits for a worker, and whether there is one."""
    from crosstie.app.jobs import job_status

    workers = job_status(home, job.id).workers
    if answered_in_json({"job": job, "workers": workers}):
        return
    say(f"Job {job.id} is queued. See `crosstie jobs show {job.id}`.")
    if not workers:
        click.echo(NO_WORKER, err=True)


@click.command("worker", cls=Command)
@click.option(
    "--no-schedule", is_flag=True, help="Carry out only what is asked for; leave what is due to other workers."
)
@click.option("--until-input-ends", is_flag=True, hidden=True, help="End with the server that writes the input.")
def worker_(no_schedule: bool, until_input_ends: bool) -> None:
    """Carry out jobs that wait, and those whose time has come, until interrupted.

    Several workers may share a store. What a worker was at when it ended, in whatever way, goes on with the next.
    """
    from crosstie.app.jobs import job_worker

    ended = threading.Event()
    with until_stopped(), opened_home() as home:
        if until_input_ends:
            _serve_beside(ended)
        worker = job_worker(home)
        worker.start(schedules=not no_schedule)
        try:
            if not until_input_ends and not answered_in_json({"worker": worker.id}):
                click.echo("The worker carries out jobs. Ctrl-C ends it.", err=True)
            sys.stdout.flush()
            ended.wait()
        finally:
            worker.stop()


def _serve_beside(ended: threading.Event) -> None:
    """Stand back for the server that started this worker, and set `ended` when that has gone."""

    def read() -> None:
        # Not through sys.stdin: its lock would be held by this thread when the interpreter ends.
        while os.read(0, 1024):
            pass
        ended.set()

    if hasattr(os, "nice"):
        os.nice(_STANDS_BACK)
    threading.Thread(target=read, name="crosstie-server", daemon=True).start()


def _wait_for(home: "Home", found: "JobStatus") -> "JobStatus":
    from crosstie.app.jobs import job_status

    with Progress() as progress:
        while found.job.goes_on:
            progress.step(_where(found.job) + ("" if found.workers else f"  {NO_WORKER}"))
            time.sleep(_LOOK_SECONDS)
            found = job_status(home, found.job.id)
    return found


def _exit_code(found: "JobStatus") -> int:
    """Return the exit code that the job would have had in the foreground."""
    job = found.job
    if job.state != "finished":
        return int(job.details.get("exit_code", _STOPPED))
    counted = [*found.parts, job]
    return FAILED_RECORDS if any(each.to_remote.failed + each.from_remote.failed for each in counted) else 0


def _print_job(job: "Job") -> None:
    took = f"{(job.finished_at - job.started_at).total_seconds():,.1f} s" if job.finished_at else "not finished"
    what = f"{words_of(job.kind)}, {words_of(job.direction)}: {_where(job)}"
    say(f"{job.id:>5}  {moment(job.started_at)}  {took:>8}  {safe(job.mapping or 'all mappings')}  {what}")
    for counters, direction in ((job.to_remote, "to remote"), (job.from_remote, "from remote")):
        if words := _counted(counters, direction):
            say(f"       {words}")
    if job.message:
        say(f"       {safe(job.message)}")


def _where(job: "Job") -> str:
    """Return the state of a job, and of one that goes on how far it is."""
    if not job.goes_on or job.state == "interrupted":
        return str(job.state)
    facts: list[Any] = [
        _so_far(job),
        words_of(safe(job.phase)),
        f"tries again at {moment(job.not_before)}" if job.not_before and job.state == "queued" else "",
        "stops at the end of its page" if job.cancel_requested else "",
    ]
    words = ", ".join(fact for fact in facts if fact)
    return f"{job.state} ({words})" if words else str(job.state)


def _so_far(job: "Job") -> str:
    if job.expected is not None:
        return f"{job.done:,} of {job.expected:,} records"
    return f"{job.done:,} records" if job.done else ""


def _counted(counters: "Counters", direction: str) -> str:
    figures = [f"{number:,} {name}" for name in counters.__struct_fields__ if (number := getattr(counters, name))]
    return f"{direction}: {', '.join(figures)}" if figures else ""
