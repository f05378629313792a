"""odatapy, strict and generic: reads $metadata and holds every answer against it.

Usage: generic_odata.py business_central|dataverse ROOT
"""

import sys
import uuid

from odatapy.client import EdmEnabledODataClient
from odatapy.client.auth import BearerAuth
from odatapy.client.transport import HttpxTransport
from steps import finish, step

system, root = sys.argv[1:3]
central = system == "business_central"
table, name, key_name = ("customers", "displayName", "id") if central else ("accounts", "name", "accountid")
client = EdmEnabledODataClient(root, HttpxTransport(auth=BearerAuth("sandbox")), odata_version="4.0")


def of(key):
    return client.entity_uri(table, key)


def rows():
    return client.entity_set_uri(table)


def value(entity, field):
    return entity.get_property(field).value


step("the service document", lambda: table in client.get_service_document().entity_sets, True)
step("the metadata", client.edm, lambda edm: edm is not None)

key = uuid.uuid4()
step("create with an id of its own", lambda: client.create_entity(table, {key_name: str(key), name: "Generic 'One'"}))
step("read it by that id", lambda: value(client.get_entity(of(key)), name), "Generic 'One'")
for n in range(4):
    body = {name: f"Generic {n}"}
    step(
        f"create without an answer {n}",
        lambda body=body: client.create_entity(table, body, return_representation=False),
    )
where = f"startswith({name},'Generic')"
step("count", lambda: client.get_count(rows().filter(where)), 5)
step(
    "filter, order, top and count",
    lambda: client.get_entity_set(rows().filter(where).select(name).orderby(f"{name} desc").top(2).count(True)),
    lambda found: [value(e, name) for e in found.entities] == ["Generic 3", "Generic 2"] and found.count == 5,
)
step(
    "pages of two",
    lambda: [len(page.entities) for page in client.iter_pages(rows().filter(where).select(name), max_page_size=2)],
    [2, 2, 1],
)
step("every record fits the metadata", lambda: sum(1 for _ in client.iter_entities(rows())), lambda count: count > 60)
step(
    "an unknown field is refused",
    lambda: client.get_entity_set(f"{root}/{table}?$filter=shoesize eq 5"),
    raises="shoesize",
)
tag = step("its tag", lambda: client.get_entity(of(key)).etag, lambda text: text.startswith('W/"'))
step(
    "change it",
    lambda: client.update_entity(of(key), {name: "Generic changed"}, etag=tag).status_code,
    lambda s: s < 300,
)
stale = "409" if central else "412"
step("change it with the stale tag", lambda: client.update_entity(of(key), {name: "lost"}, etag=tag), raises=stale)
step("the first change stands", lambda: value(client.get_entity(of(key)), name), "Generic changed")
step("create the same id again", lambda: client.create_entity(table, {key_name: str(key), name: "twice"}), raises=stale)

if not central:
    tracked = step(
        "track changes",
        lambda: client.get_entity_set(rows().select(name), track_changes=True),
        lambda t: bool(t.delta_link),
    )
    step("nothing has changed", lambda: len(client.get_delta(tracked.delta_link).entities), 0)
    gone = uuid.uuid4()
    client.create_entity(table, {key_name: str(gone), name: "Generic gone"})
    client.delete_entity(of(gone))
    client.update_entity(of(key), {name: "Generic tracked"}, etag="*")
    delta = step("one change and one deletion", lambda: client.get_delta(tracked.delta_link))
    step("the change", lambda: [value(e, name) for e in delta.entities], ["Generic tracked"])
    step("the deletion", lambda: [str(gone) in str(d.id) for d in delta.deleted_entities], [True])


def batch(form, together):
    work = client.batch(format=form, continue_on_error=True)
    work.add_retrieve(of(key))
    if together:
        changes = work.add_changeset()
        changes.create(table, {name: "Generic batched"})
        changes.update(of(key), {name: "Generic in batch"}, etag="*")
    return [part.status_code for part in client.execute_batch(work)]


if central:
    step("a JSON batch", lambda: batch("json", True), lambda codes: codes == [200, 201, 200])
    step("a multipart batch", lambda: batch("multipart", False), [200])
else:
    step(
        "a multipart batch with a change set", lambda: batch("multipart", True), lambda codes: codes == [200, 204, 204]
    )
    step("a JSON batch is refused", lambda: batch("json", False), raises="415")

step("delete it", lambda: client.delete_entity(of(key), etag="*").status_code, 204)
step("it is gone", lambda: client.get_entity(of(key)), raises="404")
for entity in list(client.iter_entities(rows().filter(where).select(key_name))):
    client.delete_entity(of(value(entity, key_name)), etag="*")
step("nothing is left", lambda: client.get_count(rows().filter(where)), 0)
finish()
