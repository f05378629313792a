"""A Business Central environment: API v2.0, custom API pages and legacy web services over SQLite.

Imports only the sandbox's common ground (``sandbox.http``, ``database``, ``filters``, ...), never the rest of the
package nor the other system.

=================================  =================================================================
``app``                            the system: routes, batches, what is not an entity set
``routing``, ``call``, ``options``  the address, the request on its way, its query options
``resources``                      entity sets and entities: methods and answers
``reading``, ``filtering``         pages of entities, expansions, ``$filter``
``writing``                        from a body to a stored record
``triggers``                       which rule of the application runs when; the rules are in
                                   ``contacts``, ``partners``, ``orders``
``records``, ``companies``         rows of one company; the companies
``schema``, ``pages``              tables and API pages, as data under ``schema/``
``values``, ``errors``             values on the wire and stored; refusals
``batch``, ``multipart``           ``$batch`` in both forms
``metadata``                       service document, ``$metadata``, ``entityDefinitions``
``loading``                        filling tables with many records
=================================  =================================================================
"""

from crosstie.sandbox.business_central.app import BusinessCentral

__all__ = ["BusinessCentral"]
