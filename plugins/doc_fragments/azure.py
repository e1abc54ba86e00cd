# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of the modules for Azure."""

    DOCUMENTATION = r"""
requirements:
  - azure-identity
  - azure-mgmt-resource >= 25.0.0
options:
  auth_source:
    description:
      - Where the credential comes from.
      - V(auto) takes the options of this module and the environment's variables if they hold a secret, a certificate
        or a federated token; else V(cli) if C(az login) was done on this machine; else V(managed_identity).
      - V(env) takes a service principal of the options or the environment.
    type: str
    choices: [auto, env, workload_identity, managed_identity, cli]
    default: auto
  subscription_id:
    description:
      - Subscription to work in.
      - Left out, it is E(AZURE_SUBSCRIPTION_ID), else what C(az account set) chose, else the only one that the
        credential sees. If it sees several, the module fails and names them.
    type: str
  tenant:
    description:
      - Tenant of the service principal. Left out, it is E(AZURE_TENANT_ID) or E(AZURE_TENANT).
    type: str
    aliases: [tenant_id]
  client_id:
    description:
      - Client id of the service principal, or of a user-assigned managed identity. Left out, it is E(AZURE_CLIENT_ID).
      - A secret or certificate of the environment is not used for another client than the environment's.
    type: str
  secret:
    description:
      - Secret of the service principal. Left out, it is E(AZURE_CLIENT_SECRET) or E(AZURE_SECRET).
    type: str
    aliases: [client_secret]
  client_certificate_path:
    description:
      - File with the certificate and private key of the service principal, in place of a secret.
      - Left out, it is E(AZURE_CLIENT_CERTIFICATE_PATH).
    type: path
  cloud_environment:
    description:
      - Azure's cloud. Left out, it is E(AZURE_CLOUD_ENVIRONMENT), else V(AzureCloud).
    type: str
    choices: ['', AzureCloud, AzureUSGovernment, AzureChinaCloud]
notes:
  - A federated token for workload identity is read from the file E(AZURE_FEDERATED_TOKEN_FILE).
  - Never tried on live Azure yet, but on a simulator that is judged by recorded traffic of Azure's.
"""
    # A module that brings a resource to its state.
    STATE = r"""
options:
  state:
    description:
      - Whether the resource is to be there.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description:
      - Whether to wait until Azure is done. If not, the same task later waits for what was begun.
    type: bool
    default: true
  timeout:
    description:
      - How many seconds to wait at most, for this task as a whole.
    type: int
    default: 3600
"""
    # Waiting alone, for a module with states of its own.
    WAIT = r"""
options:
  wait:
    description:
      - Whether to wait until Azure is done. If not, the same task later waits for what was begun.
    type: bool
    default: true
  timeout:
    description:
      - How many seconds to wait at most, for this task as a whole.
    type: int
    default: 3600
"""
    TAGS = r"""
options:
  tags:
    description:
      - Tags of the resource.
    type: dict
  append_tags:
    description:
      - Whether tags that the task does not name stay.
    type: bool
    default: true
"""
    # A module that only tells.
    INFO = r"""
options:
  timeout:
    description:
      - How many seconds to wait for Azure's answers, all together.
    type: int
    default: 300
"""
    # Which resources it tells of.
    LISTED = r"""
options:
  resource_group:
    description:
      - Resource group to look in. All of the subscription if left out.
    type: str
  name:
    description:
      - Name of the resource. Needs O(resource_group). All if left out.
    type: str
  tags:
    description:
      - Only those that have these tags, with these values.
    type: dict
"""
    # The same for what is in a cluster.
    IN_CLUSTER = r"""
options:
  resource_group:
    description:
      - Resource group of the cluster.
    type: str
    required: true
  cluster_name:
    description:
      - Name of the cluster.
    type: str
    required: true
  name:
    description:
      - Name of the resource. All of the cluster if left out.
    type: str
"""
    # Which vault, for modules that work on its secrets.
    VAULT = r"""
requirements:
  - azure-keyvault-secrets
options:
  vault_name:
    description:
      - Name of the vault. Either this or O(vault_uri) must be set.
    type: str
  vault_uri:
    description:
      - Address of the vault, such as C(https://matcha-secrets.vault.azure.net). Either this or O(vault_name) must be
        set.
    type: str
"""
