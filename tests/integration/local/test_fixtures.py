"""Do the fixtures give every test a clean pair of servers?"""

import sqlalchemy as sa

from crm_outbox.messaging.management import Management
from crm_outbox.messaging.settings import Broker
from tests.waiting import eventually


def test_a_row_of_one_test_is_gone_in_the_next(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        assert connection.scalar(sa.text("select count(*) from crm.outbox_pending")) == 0
        connection.execute(sa.text("delete from crm.outbox_pending"))


def test_a_queue_of_one_test_is_gone_in_the_next(broker: Broker, manager: Management) -> None:
    depths = manager.depths()
    assert "reconciler.inbound" in depths
    assert "odd" not in depths
    # The broker's own figures may be some seconds old.
    eventually(lambda: set(manager.depths().values()) <= {0})
    manager.put(f"queues/{broker.vhost}/odd", {"durable": True})


def test_a_queue_of_one_test_is_gone_in_the_one_after(broker: Broker, manager: Management) -> None:
    assert "odd" not in manager.depths()
    manager.delete(f"queues/{broker.vhost}/reconciler.inbound")


def test_a_queue_that_one_test_removed_is_back_in_the_next(broker: Broker, manager: Management) -> None:
    assert "reconciler.inbound" in manager.depths()
