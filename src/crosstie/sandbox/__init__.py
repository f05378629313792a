"""Business Central and Dataverse on this machine: two servers that speak the real protocols over SQLite.

They are products of their own: nothing in here imports the rest of the package, and the rest meets them over HTTP
only. The command line starts them through :mod:`crosstie.sandbox.launch`; ``python -m crosstie.sandbox`` needs nobody.

========================  =============================================================================
``http``                  requests and responses, and the ASGI application around a system
``database``              one SQLite connection with nestable transactions and a row version counter
``filters``               ``$filter`` to SQL (``sqlfilter``, ``columns``); the other ``options`` of a query
``faults``, ``counting``  faults on order, request counts
``control``               the orders under ``/_sandbox/``
``tokens``, ``tls``       the token endpoint, and a certificate authority of the sandbox's own
``clock``, ``settings``   the time both systems live in, and their switches
``launch``                both systems on http and https in one process
``data``                  the demo company and the generator
``business_central``      one system
``dataverse``             the other
========================  =============================================================================
"""
