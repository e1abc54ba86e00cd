# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules for Azure, tried on the simulator with the real SDKs."""
