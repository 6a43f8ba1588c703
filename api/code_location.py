"""`Code.Location`: where a package can be downloaded, at an address nobody can guess."""

import hashlib
import hmac
from pathlib import Path

from relambda.actors.domain.layers import LayerVersion
from relambda.actors.domain.version import Code
from relambda.api.call import Call

CODE_PATH = "/_relambda/code"


def location_of(call: Call, name: str, content: Code | LayerVersion) -> str:
    """A URL that serves a package; AWS's is presigned, ours carries a keyed digest. A folder's is its own."""
    if content.mount:
        return Path(content.mount).as_uri()
    signature = sign(call.cloud.secret, content.sha256)
    return f"{call.base_url}{CODE_PATH}/{content.sha256}/{name}.zip?signature={signature}"


def sign(secret: bytes, sha256: str) -> str:
    """The digest that must come with a request for a blob."""
    return hmac.new(secret, sha256.encode(), hashlib.sha256).hexdigest()
