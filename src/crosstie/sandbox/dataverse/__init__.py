"""Dataverse on this machine: the Web API of ``/api/data/v9.x`` over SQLite, as wire-dataverse describes it.

Start reading at ``app`` (which request goes where). The tables are data: one file each under ``tables``.

=====================================  ======================================================================
``schema``, ``loading``, ``tables/``   tables, columns, relations, keys
``storage``, ``seed``, ``importing``   the SQLite behind them, what every environment holds, many rows without HTTP
``types``, ``rules``                   values from the wire and to it; what the server itself fills in
``environment``, ``switches``          what all parts work with; one request's circumstances; the settings
``address``, ``errors``                addresses of resources, refusals with their codes
``query``, ``filtering``, ``expand``   reading rows: options, conditions (``crmfunctions``), related rows
``projection``, ``paging``             rows as they go over the wire; page cookies
``tracking``                           change tracking with deletions
``aggregate``, ``fetchxml``, ``sql``   the other three languages a query may come in
``payload``, ``writing``, ``deleting`` what a body asks for, and carrying it out
``records``, ``properties``            requests to one row, to one value of it, to a link between two
``bulk``, ``batch``, ``jsonbatch``     many rows at once, many requests at once
``actions``, ``jobs``, ``optionsets``  functions and actions; deletions later; options of choices
``metadata``, ``definitions``          EntityDefinitions and its kin
``choices``, ``predicate``, ``changes``, ``keymaking``   their parts
``csdl``                               ``$metadata``
=====================================  ======================================================================

Imports nothing of the package outside :mod:`crosstie.sandbox`.
"""

from crosstie.sandbox.dataverse.app import Dataverse

__all__ = ["Dataverse"]
