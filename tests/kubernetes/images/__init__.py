# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images for the test cluster, made without a container engine and without a registry."""
