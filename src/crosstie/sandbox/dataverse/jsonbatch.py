"""``$batch`` with a JSON body: OData 4.01, which Dataverse does not document; off unless the switch turns it on."""

from collections.abc import Mapping
from typing import Any

from crosstie.sandbox.dataverse.batch import MAX_PARTS, Dispatch, Runner
from crosstie.sandbox.dataverse.environment import Call
from crosstie.sandbox.dataverse.errors import BAD_ARGUMENT, Refusal
from crosstie.sandbox.dataverse.records import json_body
from crosstie.sandbox.http import Headers, Response, from_json, json_response, to_json


def run(call: Call, dispatch: Dispatch) -> Response:
    """Carry out a JSON batch in order; requests of one atomicity group are carried out all or none."""
    body = json_body(call)
    items = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Refusal(400, BAD_ARGUMENT, "A JSON batch must hold an array 'requests' of objects.")
    if len(items) > MAX_PARTS:
        raise Refusal(400, BAD_ARGUMENT, f"The batch has {len(items)} requests; the maximum is {MAX_PARTS}.")
    runner = Runner(call, dispatch)
    answers: list[dict[str, object]] = []
    with call.env.db.transaction():
        for group in _groups(items):
            answers += _carry_out(call, runner, group)
            if any(int(str(answer["status"])) >= 400 for answer in answers) and not call.prefer.continue_on_error:
                break
    response = json_response({"responses": answers})
    response.parts = runner.seen
    return response


def _groups(items: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The requests, those of one atomicity group together."""
    groups: list[list[dict[str, Any]]] = []
    for item in items:
        name = item.get("atomicityGroup")
        if groups and name is not None and groups[-1][0].get("atomicityGroup") == name:
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups


class _GroupFailed(Exception):
    """Undoes an atomicity group."""


def _carry_out(call: Call, runner: Runner, group: list[dict[str, Any]]) -> list[dict[str, object]]:
    answers: list[dict[str, object]] = []
    atomic = group[0].get("atomicityGroup") is not None
    try:
        with call.env.db.transaction():
            for item in group:
                response = _one(runner, item)
                answers.append(_answer(item, response))
                if atomic and response.status >= 400:
                    raise _GroupFailed
    except _GroupFailed:
        return answers[-1:]
    return answers


def _one(runner: Runner, item: Mapping[str, Any]) -> Response:
    headers = {str(name): str(value) for name, value in (item.get("headers") or {}).items()}
    body = b"" if item.get("body") is None else to_json(item["body"])
    method, url = str(item.get("method", "GET")).upper(), str(item.get("url", ""))
    return runner.send(method, url, Headers(headers.items()), body, str(item["id"]) if "id" in item else None)


def _answer(item: Mapping[str, Any], response: Response) -> dict[str, object]:
    headers = {name.lower(): value for name, value in response.headers}
    answer: dict[str, object] = {"id": item.get("id"), "status": response.status, "headers": headers}
    if response.body:
        text = response.body
        answer["body"] = from_json(text) if "json" in headers.get("content-type", "") else text.decode()
    return answer
