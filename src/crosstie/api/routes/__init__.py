"""The routes, one module a resource. Each handler says in `opt` which permission it needs; without, who may look."""
