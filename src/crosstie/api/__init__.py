"""The REST API over the use cases of `crosstie.app`, and `crosstie serve`.

Outermost stands `shell` (request ids, limits, headers, log, figures), inside it `door` (who asks, and may they), then
`once` (idempotency keys), then Litestar with the routes of `routes`. Imports `app` and `model` only.
"""
