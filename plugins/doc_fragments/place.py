# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Where a deployment is."""

    DOCUMENTATION = r"""
options:
  target:
    description:
      - Target of the deployment, V(azure) or V(local).
      - An empty value means V(azure).
    type: str
    default: ''
  prefix:
    description:
      - Prefix of the deployment, 3 to 11 lower-case letters and digits that begin with a letter.
      - An empty value means V(matcha).
    type: str
    default: ''
  home:
    description:
      - Folder of all local deployments, and of what runs on Azure's need on this machine.
      - An empty value means C(matcha) in E(XDG_DATA_HOME), which is C(~/.local/share) if unset.
    type: str
    default: ''
"""
    # How its cluster is reached, for plugins that look into it.
    CLUSTER = r"""
options:
  kubeconfig:
    description:
      - Kubeconfig file of the cluster. Left out, access is fetched from Azure for who signs in, with a token that is
        good for about an hour.
    type: path
  context:
    description:
      - Context in O(kubeconfig). Left out, it is the current one.
    type: str
  openshift:
    description:
      - Whether the cluster of O(kubeconfig) is OpenShift.
    type: str
    default: ''
"""
