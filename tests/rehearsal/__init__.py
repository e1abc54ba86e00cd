# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rehearsal: a simulated Azure with a real Kubernetes and a real database in it, joined as the real ones are."""
