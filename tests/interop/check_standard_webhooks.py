"""The official Standard Webhooks library (npm), in its current version, verifies a delivery and refuses a changed one."""
import json
import sys

from parts import node, pytest_in

QUICK = True


def run():
    folder = node()
    pytest_in(sys.executable, "tests/e2e/order_flow_test.py", "-k", "official_library",
              environment={"WEFT_NODE_FOLDER": str(folder)})
    version = json.loads((folder / "node_modules/standardwebhooks/package.json").read_text())["version"]
    return f"standardwebhooks {version} verifies a delivery of POST /orders"
