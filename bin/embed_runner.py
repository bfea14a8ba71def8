"""Puts thermos_runner.py into a copy of Aurora's executor, in the place of its thermos_runner.pex.

    python3 embed_runner.py EXECUTOR.pex COPY.pex

For Python 2.7 and 3.
"""

import hashlib
import json
import os
import sys
import zipfile

RUNNER = "apache/aurora/executor/resources/thermos_runner.pex"
INFO = "PEX-INFO"


def launcher():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "thermos_runner.py")
    with open(path, "rb") as source:
        return source.read()


def with_own_cache(info, runner):
    """A pex that is not zip_safe runs from a cache named by code_hash, which a copy must not share."""
    fields = json.loads(info.decode("utf-8"))
    if fields.get("code_hash") is not None:
        fields["code_hash"] = hashlib.sha1(fields["code_hash"].encode("utf-8") + runner).hexdigest()
    return json.dumps(fields).encode("utf-8")


def embed(path, copy):
    runner = launcher()
    with open(path, "rb") as pex:
        shebang = pex.readline()
    with zipfile.ZipFile(path) as old:
        # Of a name that is there twice, the last one counts.
        entries = {entry.filename: entry for entry in old.infolist()}
        if RUNNER not in entries:
            sys.exit("%s is not an executor: it has no %s" % (path, RUNNER))
        with open(copy, "w+b") as file:
            if shebang.startswith(b"#!"):
                file.write(shebang)
            with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as new:
                for name, entry in entries.items():
                    content = old.read(entry)
                    if name == RUNNER:
                        content = runner
                    elif name == INFO:
                        content = with_own_cache(content, runner)
                    new.writestr(entry, content)
    os.chmod(copy, 0o755)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: embed_runner.py EXECUTOR.pex COPY.pex")
    embed(*sys.argv[1:])
