"""``python -m deploy.local.demo.crm --port N``: a plain CRM for the demo, with the status of each customer at the right.

It stands for Clickmate: its own host name, its own database tables (``crm_outbox.customers``), and the key it shares with the
pages. Whoever opens it is signed in as the person they choose; that exists in the demo only.
"""

import argparse
import os
import sys
import threading

from crm_outbox.messaging import database
from crm_outbox.messaging.outbox import Doorbell
from crm_outbox.messaging.server import Server
from deploy.local.demo.books import Books
from deploy.local.demo.crm.app import Crm, app
from deploy.local.demo.crm.breaking import Breaking
from deploy.local.demo.hands import TENANT
from deploy.local.demo.stage import FOLDER
from deploy.local.environment import DEMO_SIGN_IN
from reconciler.passes import keys_of


def main() -> int:
    parser = argparse.ArgumentParser(prog="crm", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    if os.environ.get(DEMO_SIGN_IN) != "on":
        parser.error("whoever comes here is signed in as anybody; that is for the demo alone, which says so itself")
    engine = database.engine(os.environ["DATABASE_URL"], "crm-pages")
    ((key_id, key),) = keys_of(os.environ["CRM_KEYS"]).items()
    made = Crm(
        engine=engine,
        ring=Doorbell(engine, "crm").ring,
        tenant=TENANT,
        pages=os.environ["WEB_PUBLIC_URL"],
        origin=os.environ["CRM_ORIGIN"],
        key_id=key_id,
        key=key,
        breaking=Breaking(Books(os.environ["ECONOMIC_REST_URL"]), FOLDER / "asked"),
    )
    server = Server(app(made), "127.0.0.1", port)
    try:
        threading.Event().wait()
    finally:
        server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
