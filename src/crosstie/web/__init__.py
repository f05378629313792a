"""Pages over the use cases of `app/`: templates, styles, scripts, and the routes that fill them.

May import `model`, `app` and `api` (whose server they share); knows no system, no store and no engine.
"""
