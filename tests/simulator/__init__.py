# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulator of Azure Resource Manager, its identities and its data planes, for tests."""
