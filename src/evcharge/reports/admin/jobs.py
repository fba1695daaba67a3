"""What runs behind the pages, and what did not work."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from evcharge.kernel.clock import utc_now
from evcharge.kernel.jobs import retry_job
from evcharge.reports.admin.blueprint import admin
from evcharge.reports.queries import count_jobs, jobs_that_are
from evcharge.reports.rules import JobState
from evcharge.web.context import admin_required, perform, reading
from evcharge.web.paging import paging

WORDS = {
    JobState.FAILED: "Failed",
    JobState.RUNNING: "Running",
    JobState.WAITING: "Waiting",
    JobState.DONE: "Done",
}


@admin.get("/admin/jobs")
@admin_required
def jobs() -> ResponseReturnValue:
    now = utc_now()
    counts = count_jobs(reading(), now=now)
    asked = request.args.get("state")
    state = JobState(asked) if asked in set(JobState) else _first(counts)
    where = paging(request.args.get("page"), total=counts[state])
    return render_template(
        "reports/admin/jobs.html",
        jobs=jobs_that_are(
            reading(), state, limit=where.per_page, offset=where.offset, now=now
        ),
        state=state,
        words=WORDS,
        counts=counts,
        paging=where,
    )


def _first(counts: dict[JobState, int]) -> JobState:
    """What went wrong comes first, if anything did."""
    return JobState.FAILED if counts[JobState.FAILED] else JobState.WAITING


@admin.post("/admin/jobs/<int:job_id>/retry")
@admin_required
def retry(job_id: int) -> ResponseReturnValue:
    perform(lambda session: retry_job(session, job_id, now=utc_now()))
    flash("The job is tried again in a moment.", "success")
    return redirect(url_for(".jobs"), code=303)
