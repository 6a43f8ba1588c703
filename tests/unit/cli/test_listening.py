import socket

import pytest

from relambda.api.network.listening import CannotListenError, PortInUseError, address_of, bind
from relambda.api.settings.option import Listen


def test_port_zero_takes_a_free_one() -> None:
    """What is bound says its real port."""
    (bound,) = bind([Listen("127.0.0.1", 0)])
    with bound:
        assert address_of(bound).port > 0


def test_all_or_none_are_bound() -> None:
    """When the second address is taken, the first is free again."""
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as other:
        busy, free = taken.getsockname()[1], other.getsockname()[1]
        other.close()
        with pytest.raises(PortInUseError, match=f":{busy} is in use"):
            bind([Listen("127.0.0.1", free), Listen("127.0.0.1", busy)])
        (again,) = bind([Listen("127.0.0.1", free)])
        again.close()


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    """The message names the address."""
    with pytest.raises(CannotListenError, match=host):
        bind([Listen(host, 0)])
