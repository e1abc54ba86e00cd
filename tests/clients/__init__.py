# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people's clients of Azure, unmodified, on the simulator."""
