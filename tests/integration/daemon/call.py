#!/usr/bin/python3
"""call.py SOCKET METHOD [PARAMETERS]: one call; prints the reply's parameters as JSON, or the error's name, and
then ends with 1."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import varlink  # noqa: E402

try:
    parameters = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
    print(json.dumps(varlink.Connection(sys.argv[1]).call(sys.argv[2], **parameters)))
except varlink.Refused as refused:
    print(refused.name, json.dumps(refused.parameters))
    sys.exit(1)
