"""The user that functions run as (FACTS.md section 4: sbx_user1051), and the file that gives its number that name."""

from typing import Final

NAME: Final = "sbx_user1051"
UID: Final = 993
GID: Final = 990
PASSWD: Final = f"""\
root:x:0:0:root:/root:/bin/bash
bin:x:1:1:bin:/bin:/sbin/nologin
daemon:x:2:2:daemon:/sbin:/sbin/nologin
nobody:x:65534:65534:Kernel Overflow User:/:/sbin/nologin
{NAME}:x:{UID}:{GID}::/home/{NAME}:/sbin/nologin
"""
"""What every sandbox sees as /etc/passwd, whatever its image says."""
