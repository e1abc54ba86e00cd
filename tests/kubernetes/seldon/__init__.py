# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of Seldon Core the test cluster runs."""
