"""`serve`: the pages, the REST API, and where the *Business Central* button leads."""

import click

from crosstie.cli.invocation import Command, answered_in_json, current, opened_home
from crosstie.cli.terminal import safe


@click.command("serve", cls=Command)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen; 0.0.0.0 is everywhere.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes a free one.")
@click.option("--no-worker", is_flag=True, help="Leave jobs and schedules to `crosstie worker`.")
@click.option("--log-requests", is_flag=True, help="Log each request on standard error, in JSON.")
def serve_(host: str, port: int, no_worker: bool, log_requests: bool) -> None:
    """Serve the pages and the REST API until interrupted, and carry out jobs and schedules beside them.

    While there is no administrator, a one-time link is printed by which somebody becomes the first one.
    """
    from crosstie.api.serving import Serving, serve
    from crosstie.web.routing import site

    def ready(serving: Serving) -> None:
        if answered_in_json(serving):
            return
        click.echo(f"Crosstie answers at {safe(serving.address)}", err=True)
        if serving.first_link is not None:
            click.echo("Become the first administrator with this link, good once and for a day:", err=True)
            click.echo(f"  {safe(serving.address)}/join/{serving.first_link}", err=True)
        click.echo("Ctrl-C ends it.", err=True)

    with opened_home() as home:
        serve(
            home,
            host=host,
            port=port,
            ready=ready,
            worker=not no_worker,
            log_level=current().log_level,
            log_requests=log_requests,
            site=site(),
        )
