"""Dataverse on this machine: the Web API of ``/api/data/v9.x`` over SQLite, as wire-dataverse describes it.

Start reading at ``app`` (which request goes where). The tables are data: one file each under ``tables``.

=====================================  ======================================================================
``schema``, ``tables/``                tables, columns, relations, keys
``storage``, ``seed``                  the SQLite behind them, and what every environment holds from the start
``types``, ``rules``                   values from the wire and to it; what the server itself fills in
``address``, ``errors``, ``context``   addresses of resources, refusals with their codes, one request's circumstances
``query``, ``filtering``, ``expand``   reading rows: options, conditions, related rows
``paging``, ``tracking``               page cookies; change tracking with deletions
``aggregate``, ``fetchxml``, ``sql``   the other three languages a query may come in
``payload``, ``writing``, ``deleting`` what a body asks for, and carrying it out
``records``, ``properties``            requests to one row, to one value of it, to a link between two
``bulk``, ``batch``, ``actions``       many rows at once, many requests at once, functions and actions
``metadata``, ``definitions``          EntityDefinitions and its kin
``csdl``                               ``$metadata``
=====================================  ======================================================================

Imports nothing of the package outside :mod:`crosstie.sandbox`.
"""

from .app import Dataverse

__all__ = ["Dataverse"]
