# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that has a life to be tried."""

from __future__ import annotations

from modules import cases_a, cases_aks, cases_aks_others, cases_b, cases_c
from modules.cases_aks import CLUSTER, GROUP

__all__ = ["CASES", "CLUSTER", "GROUP"]

CASES = [*cases_aks.CASES, *cases_aks_others.CASES, *cases_a.CASES, *cases_b.CASES, *cases_c.CASES]
