"""Which names lead to this cloud, and what is answered for them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from relambda.api.network.aws_hosts import is_aws_host

TTL: Final = 60
"""Seconds that an answer may be kept."""


@dataclass(frozen=True, slots=True)
class NameRules:
    """AWS's names lead to `address`, but for those that a pattern matches; so does `own` with all names below it."""

    address: str
    own: str = ""
    elsewhere: Sequence[re.Pattern[str]] = ()

    def leads_here(self, name: str) -> bool:
        """Whether a name, in lower case and without the last dot, is answered here."""
        if any(pattern.match(name) for pattern in self.elsewhere):
            return False
        return is_aws_host(name) or (self.own != "" and f".{name}".endswith(f".{self.own}"))

    def answer(self, query: dns.message.Message) -> dns.message.Message | None:
        """The answer to a question about a name that leads here; None for any other.

        The name has an address of one kind and nothing else, so that clients never wait for another.
        """
        if query.opcode() != 0 or len(query.question) != 1:
            return failure(query, dns.rcode.NOTIMP)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        if question.rdclass != dns.rdataclass.IN or not self.leads_here(name):
            return None
        answer = dns.message.make_response(query, recursion_available=True)
        kind = dns.rdatatype.A if ip_address(self.address).version == 4 else dns.rdatatype.AAAA
        if question.rdtype in {kind, dns.rdatatype.ANY}:
            answer.answer.append(dns.rrset.from_text(question.name, TTL, dns.rdataclass.IN, kind, self.address))
        return answer


def failure(query: dns.message.Message, code: dns.rcode.Rcode) -> dns.message.Message:
    """The answer that says why there is none."""
    answer = dns.message.make_response(query, recursion_available=True)
    answer.set_rcode(code)
    return answer
