"""The DNS server of functions: answers for the names that lead to this cloud, and asks the usual servers for others."""

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.resolver

from relambda.api.network.name_rules import NameRules, failure
from relambda.api.settings.option import Listen

_log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 256
"""Questions that wait for an upstream server; a further one is dropped, and its client asks again."""
MOST_CONNECTIONS: Final = 64
ASK_SECONDS: Final = 2.0
"""How long one upstream server may take; as many again for the next."""
IDLE_SECONDS: Final = 10.0
STOP_SECONDS: Final = 5.0
DNS_PORT: Final = 53
MOST_BYTES: Final = 65_535

Address = tuple[str, int]
Ask = Callable[..., Awaitable[dns.message.Message]]


def system_servers() -> list[Listen]:
    """The servers that this machine uses now; read again for each question, since they change with the network."""
    try:
        found = dns.resolver.Resolver().nameservers
    except dns.resolver.NoResolverConfiguration:
        return []
    return [Listen(server, DNS_PORT) for server in found if isinstance(server, str)]


class NameServer:
    """Serves on a datagram and a listening socket, in one thread of its own, from `start` to `stop`."""

    def __init__(
        self, rules: NameRules, upstream: Callable[[], Sequence[Listen]], udp: socket.socket, tcp: socket.socket
    ) -> None:
        self._rules, self._upstream, self._udp, self._tcp = rules, upstream, udp, tcp
        self._loop = asyncio.new_event_loop()
        self._under_way: set[asyncio.Task[None]] = set()
        self._connections = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="name-server", daemon=True)

    def start(self) -> None:
        """Begin to answer; once. Raises OSError when it could not."""
        self._thread.start()
        if not self._ready.wait(STOP_SECONDS):
            raise OSError("the DNS server for functions did not start")

    def stop(self) -> None:
        """End with what is under way; the sockets are closed afterwards."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(self._serve())
            loop.call_soon(self._ready.set)
            loop.run_forever()
        finally:
            for task in (tasks := asyncio.all_tasks(loop)):
                task.cancel()
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self._datagrams.close()
            self._streams.close()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    async def _serve(self) -> None:
        self._udp.setblocking(False)
        self._datagrams, _ = await self._loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=self._udp)
        self._streams = await asyncio.start_server(self._stream, sock=self._tcp)

    def take(self, wire: bytes, reply: Callable[[bytes], None]) -> None:
        """Answer one datagram: at once when its name leads here. On the server's own thread."""
        query = _query(wire)
        if query is None:
            return
        answer = self._rules.answer(query)
        if answer is not None:
            reply(answer.to_wire())
        elif len(self._under_way) < MOST_AT_ONCE:
            task = self._loop.create_task(self._pass_on(query, reply))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _pass_on(self, query: dns.message.Message, reply: Callable[[bytes], None]) -> None:
        answer = await self._ask(query, dns.asyncquery.udp)
        reply(answer.to_wire(max_size=MOST_BYTES))

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Questions of one connection, one after the other, each behind its length (RFC 1035, section 4.2.2)."""
        self._connections += 1
        try:
            while self._connections <= MOST_CONNECTIONS:
                async with asyncio.timeout(IDLE_SECONDS):
                    size = int.from_bytes(await reader.readexactly(2), "big")
                    query = _query(await reader.readexactly(size))
                if query is None:
                    return
                answer = self._rules.answer(query) or await self._ask(query, dns.asyncquery.tcp)
                writer.write(answer.to_wire(max_size=MOST_BYTES, prepend_length=True))
                async with asyncio.timeout(IDLE_SECONDS):
                    await writer.drain()
        except (OSError, EOFError, TimeoutError) as error:
            _log.debug("a DNS client has gone: %s", error)
        finally:
            self._connections -= 1
            writer.close()

    async def _ask(self, query: dns.message.Message, ask: Ask) -> dns.message.Message:
        """What the first upstream server says that says something."""
        for server in self._upstream():
            try:
                return await ask(query, server.host, timeout=ASK_SECONDS, port=server.port)
            except (dns.exception.DNSException, OSError, EOFError) as error:
                _log.debug("the DNS server %s did not answer: %r", server, error)
        return failure(query, dns.rcode.SERVFAIL)


def _query(wire: bytes) -> dns.message.Message | None:
    """A question as it came; None for what is none."""
    try:
        message = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError) as error:
        _log.debug("a DNS message that is not understood: %r", error)
        return None
    return None if message.flags & dns.flags.QR else message


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.DatagramTransport = transport

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._server.take(data, lambda answer: self._transport.sendto(answer, addr))
