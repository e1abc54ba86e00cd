# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.KeyVault: vaults in Resource Manager, and the secrets in them."""

from __future__ import annotations

from . import keyvault_secrets, keyvault_vaults

TYPES = keyvault_vaults.TYPES
DATA_PLANES = {keyvault_secrets.SUFFIX: keyvault_secrets.serve}
