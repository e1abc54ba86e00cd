# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.Storage: the types, each described where it is."""

from __future__ import annotations

from . import storage_blobs, storage_files, storage_policies
from .storage_accounts import ACCOUNTS

TYPES = [ACCOUNTS, *storage_blobs.TYPES, *storage_files.TYPES, *storage_policies.TYPES]
