# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the dumps in /backup into a container of Azure Storage, under names that are used only once."""

import json
import os
from datetime import datetime, timezone
from pathlib import Path

from azure.identity import DefaultAzureCredential
from azure.storage.blob import ContainerClient

PREFIX = os.environ["BACKUP_PREFIX"]
client = ContainerClient(os.environ["BACKUP_ENDPOINT"], os.environ["BACKUP_CONTAINER"], DefaultAzureCredential())
now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
names = []
for path in sorted(Path("/backup").glob("*.sql.gz")):
    name = f"backups/{PREFIX}-{now}/{path.name}"
    with path.open("rb") as stream:
        client.upload_blob(name, stream)
    names.append(name)
print(json.dumps({"backups": names}))
