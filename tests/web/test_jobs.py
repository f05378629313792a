"""Jobs in a browser: the log, one job with every record's outcome, recurring jobs, undo."""

from playwright.sync_api import Page, expect

from crosstie.app.history import list_jobs
from crosstie.app.jobs import enqueue, list_schedules
from crosstie.app.session import utc_now
from crosstie.app.synchronising import synchronise
from crosstie.model.jobs import JobState
from tests.web.conftest import Site
from tests.web.test_mappings import PATIENCE, couple


def test_the_log_is_narrowed_down_and_leads_to_each_record(demo_page: Page, demo: Site) -> None:
    page = demo_page
    page.goto("/jobs")
    log = page.get_by_role("region", name="Log of jobs")
    expect(log.get_by_role("row").nth(1)).to_be_visible()
    page.get_by_label("Mapping", exact=True).select_option("CUSTOMER")
    page.wait_for_url("**/jobs?mapping=CUSTOMER*")
    expect(log.get_by_role("row").filter(has_text="VENDOR")).to_have_count(0)
    page.get_by_label("Type").select_option("Coupling")
    page.wait_for_url("**/jobs?mapping=CUSTOMER*kind=coupling*")
    expect(log.get_by_role("cell", name="Synchronisation", exact=True)).to_have_count(0)
    expect(log.get_by_role("row").nth(1)).to_contain_text("Coupling")
    expect(log.get_by_role("columnheader", name="Asked by")).to_be_visible()
    page.get_by_label("Type").select_option("All")
    expect(log.get_by_role("cell", name="Synchronisation", exact=True).first).to_be_visible()
    failed = next(job for job in list_jobs(demo.home, "CUSTOMER") if job.to_remote.failed)
    row = log.get_by_role("row", name=f"{failed.id} ")
    row.get_by_role("link", name=str(failed.to_remote.failed + failed.from_remote.failed)).last.click()
    page.wait_for_url(f"**/jobs/{failed.id}?outcome=failed")
    records = page.get_by_role("region", name="What became of each record")
    expect(records.get_by_role("row").nth(1)).to_contain_text("Failed")
    expect(records.get_by_role("row").filter(has_text="Created")).to_have_count(0)
    page.goto("/jobs?state=stopped")
    expect(page.get_by_text("No job fits.")).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    expect(log).to_be_visible()


def test_a_job_shows_every_change_and_takes_it_back(calm_page: Page, calm: Site) -> None:
    remote = couple(calm, "10000", phoneNumber="111")
    calm.bc.edit_customer("10000", phoneNumber="222", city="Leeds")
    [report] = calm.do(lambda session: synchronise(session, "CUSTOMER", ["10000"]))
    page = calm_page
    page.goto(f"/jobs/{report.job_id}")
    row = page.get_by_role("row").filter(has_text="Customer 10000")
    expect(row).to_contain_text("2 fields changed in Dataverse")
    expect(row).to_contain_text("Phone No.: 111 → 222")
    page.get_by_role("button", name="Undo").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 change would be taken back. Nothing has been written yet.")
    expect(dialog).to_contain_text("222 → 111")
    assert calm.dv.account(remote)["phone"] == "222"
    page.keyboard.press("Control+Enter")
    expect(dialog.get_by_role("status")).to_contain_text("1 change taken back")
    assert (calm.dv.account(remote)["phone"], calm.bc.customer("10000")["phone"]) == ("111", "222")
    page.keyboard.press("Escape")
    page.goto("/jobs")
    expect(page.get_by_role("region", name="Log of jobs").get_by_role("row").nth(1)).to_contain_text("Undo")


def test_recurring_jobs_are_paused_resumed_and_run_now(calm_page: Page, calm: Site) -> None:
    remote = couple(calm, "10000")
    page = calm_page
    page.goto("/jobs")
    recurring = page.get_by_role("region", name="Recurring jobs")
    expect(recurring.get_by_text("Paused")).to_have_count(7)
    page.get_by_role("button", name="Resume VENDOR").press("Enter")
    expect(page.get_by_role("button", name="Pause VENDOR")).to_be_visible()
    going = [each.mapping for each in list_schedules(calm.home).schedules if not each.paused_reason]
    assert going == ["VENDOR"]
    page.get_by_role("button", name="Pause all").click()
    expect(page.get_by_role("button", name="Resume VENDOR")).to_be_visible()
    calm.bc.edit_customer("10000", phoneNumber="333")
    page.get_by_role("button", name="Run now CUSTOMER").click()
    page.get_by_role("dialog").get_by_role("button", name="Synchronise", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("Finished", timeout=PATIENCE)
    assert calm.dv.account(remote)["phone"] == "333"


def test_a_job_that_outlived_its_process_says_so(page: Page, small: Site) -> None:
    job = enqueue(small.home, "synchronise", {"mapping": "CUSTOMER"}, asked_by="anna")
    page.goto(f"/jobs/{job.id}")
    expect(page.get_by_text("No worker runs.")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_have_attribute("data-reason", "the job goes on")
    with small.home.store.begin() as unit:
        first = unit.background.claim(job, "a process that died", utc_now())
        assert first is not None
        second = unit.background.claim(first, "the next one", utc_now())
        assert second is not None
    page.goto(f"/jobs/{job.id}")
    expect(page.get_by_text("It goes on from where it was after its process had ended (once)")).to_be_visible()
    with small.home.store.begin() as unit:
        assert unit.background.close_job(second, JobState.FINISHED, message="", now=utc_now())
    expect(page.get_by_text("It went on from where it was")).to_be_visible()
    expect(page.locator(".job-progress")).to_contain_text("Finished")


def test_a_job_that_waits_is_cancelled_where_it_is_shown(page: Page, small: Site) -> None:
    job = enqueue(small.home, "synchronise", {"mapping": "CUSTOMER"}, asked_by="anna")
    page.goto(f"/jobs/{job.id}")
    page.get_by_role("button", name="Cancel the job").press("Enter")
    expect(page.locator(".job-progress")).to_contain_text("Cancelled")
    expect(page.locator("#job-detail")).to_contain_text("anna")
    assert list_jobs(small.home, states=[JobState.CANCELLED])[0].id == job.id
