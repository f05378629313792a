"""The pages, one module a subject; each fills templates with what a use case of `app/` returns."""
