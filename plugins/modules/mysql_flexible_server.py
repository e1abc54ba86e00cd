#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mysql_flexible_server
short_description: Manage a MySQL Flexible Server
description:
  - Creates, changes, starts, stops or deletes a MySQL Flexible Server, with the databases, firewall rules and
    parameters that the task lists.
  - What the task does not name is left as it is.
  - A server is busy while any of this is written. The module writes one after another, and waits where somebody else
    writes.
  - With O(wait=false) what is in a server that is still being made is left to the next run.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.azure
  - matcha.mlops.azure.wait
  - matcha.mlops.azure.tags
  - matcha.mlops.fence
options:
  state:
    description:
      - V(present) leaves the server running or stopped, as it is. V(started) and V(stopped) make it so too.
      - Azure changes nothing on a stopped server, and tells nothing of what is in it. V(started) starts it first.
        V(stopped) stops it when all else is done, and leaves it alone if it is stopped already.
      - Azure starts a stopped server by itself after 30 days.
    type: str
    choices: [present, absent, started, stopped]
    default: present
  resource_group:
    description:
      - Resource group of the server.
    type: str
    required: true
  name:
    description:
      - Name of the server, 3 to 63 lower-case letters, digits and hyphens, unique in all of Azure.
    type: str
    required: true
  location:
    description:
      - Region. Needed for a new one. Immutable.
    type: str
  sku:
    description:
      - Size of the server. Needed for a new one.
    type: dict
    suboptions:
      name:
        description:
          - Size, such as C(Standard_B1ms) or C(Standard_D2ads_v5).
        type: str
        required: true
      tier:
        description:
          - What the size belongs to. V(Burstable) has no high availability.
        type: str
        choices: [Burstable, GeneralPurpose, MemoryOptimized]
        required: true
  identity:
    description:
      - Identities of the server, for sign-in with Entra and for keys of one's own.
    type: dict
    suboptions:
      type:
        description:
          - Kind of identity.
        type: str
        choices: [UserAssigned, None]
      user_assigned_identities:
        description:
          - Ids of the identities; all of them.
        type: list
        elements: str
  version:
    description:
      - Version of MySQL. A new server has V(8.4) if left out. There is no way back to an older one.
    type: str
  administrator_login:
    description:
      - Name of the administrator. Needed for a new server. Immutable.
    type: str
  administrator_login_password:
    description:
      - Password of the administrator. Needed for a new server. Azure never tells it, so that it is not compared.
    type: str
  administrator_login_password_file:
    description:
      - File with the password, in place of O(administrator_login_password). The module reads it where it runs.
    type: path
  update_password:
    description:
      - When the password is sent. V(always) sends it in every run, which is a change each time.
      - V(on_change) sends it if it is another than the one that O(password_tag) tells of.
    type: str
    choices: [on_create, on_change, always]
    default: on_create
  password_tag:
    description:
      - Name of a tag that gets a salted hash of each password that is sent. For random passwords alone, since everyone
        who can see the server can try guesses against it.
    type: str
  availability_zone:
    description:
      - Zone of the server. Azure's own choice if left out. Immutable.
    type: str
  storage:
    description:
      - Disk of the server.
    type: dict
    suboptions:
      storage_size_gb:
        description:
          - Size in GB, from 20. It only grows. A disk that grew by itself (O(storage.auto_grow=Enabled)) is left as
            large as it is.
        type: int
      iops:
        description:
          - Operations a second. Azure gives at least 300 and 3 more for each GB.
        type: int
      auto_grow:
        description:
          - Whether the disk grows when it is nearly full.
        type: str
        choices: [Enabled, Disabled]
      auto_io_scaling:
        description:
          - Whether operations a second are added and paid for as needed.
        type: str
        choices: [Enabled, Disabled]
      log_on_disk:
        description:
          - Whether logs are kept on a disk of their own.
        type: str
        choices: [Enabled, Disabled]
      storage_redundancy:
        description:
          - Where copies of the disk are. Immutable.
        type: str
        choices: [LocalRedundancy, ZoneRedundancy]
  backup:
    description:
      - Backups.
    type: dict
    suboptions:
      backup_retention_days:
        description:
          - For how many days they are kept, 1 to 35.
        type: int
      backup_interval_hours:
        description:
          - Hours between two of them.
        type: int
      geo_redundant_backup:
        description:
          - Whether they are kept in another region too. Immutable.
        type: str
        choices: [Enabled, Disabled]
  high_availability:
    description:
      - A standby server that takes over. Not with O(sku.tier=Burstable).
    type: dict
    suboptions:
      mode:
        description:
          - Where the standby is.
        type: str
        choices: [Disabled, SameZone, ZoneRedundant]
      standby_availability_zone:
        description:
          - Zone of the standby.
        type: str
  network:
    description:
      - How the server is reached.
    type: dict
    suboptions:
      public_network_access:
        description:
          - Whether it has a public address, which O(firewall_rules) then guard.
        type: str
        choices: [Enabled, Disabled]
      delegated_subnet_resource_id:
        description:
          - Id of the subnet in which the server is, in place of a public address. Immutable.
        type: str
      private_dns_zone_resource_id:
        description:
          - Id of the private DNS zone in which the server's name is. Immutable.
        type: str
  maintenance_window:
    description:
      - When Azure may maintain the server.
    type: dict
    suboptions:
      custom_window:
        description:
          - Whether this window counts. If not, Azure chooses.
        type: str
        choices: [Enabled, Disabled]
      day_of_week:
        description:
          - Day, from 0 for Sunday to 6.
        type: int
      start_hour:
        description:
          - Hour at which it begins, in UTC.
        type: int
      start_minute:
        description:
          - Minute of that hour.
        type: int
      batch_of_maintenance:
        description:
          - Whether the server is maintained earlier or later than others.
        type: str
        choices: [Default, Batch1, Batch2]
  maintenance_policy:
    description:
      - How Azure maintains the server.
    type: dict
    suboptions:
      patch_strategy:
        description:
          - V(VirtualCanary) gets updates before others do.
        type: str
        choices: [Regular, VirtualCanary]
  data_encryption:
    description:
      - Keys that encrypt the disk.
    type: dict
    suboptions:
      type:
        description:
          - Whose keys they are. V(SystemManaged) gives up those in a key vault, and their identities.
        type: str
        choices: [AzureKeyVault, SystemManaged]
      primary_user_assigned_identity_id:
        description:
          - Id of the identity that may use the key.
        type: str
      primary_key_uri:
        description:
          - Address of the key in a key vault.
        type: str
      geo_backup_user_assigned_identity_id:
        description:
          - Id of the identity that may use the key for backups in another region.
        type: str
      geo_backup_key_uri:
        description:
          - Address of that key.
        type: str
  databases:
    description:
      - Databases. Those that the task does not list stay.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the database.
        type: str
        required: true
      charset:
        description:
          - Character set. Immutable.
        type: str
      collation:
        description:
          - Collation. That of the character set if left out. Immutable.
        type: str
      state:
        description:
          - Whether the database is to be there.
        type: str
        choices: [present, absent]
        default: present
  firewall_rules:
    description:
      - Addresses that may reach the server. Those that the task does not list stay.
      - From C(0.0.0.0) to C(0.0.0.0) means all of Azure, other people's resources among it. Better name one address,
        such as that of M(matcha.mlops.public_ip_address).
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the rule.
        type: str
        required: true
      start_ip_address:
        description:
          - First address. Needed unless O(firewall_rules[].state=absent).
        type: str
      end_ip_address:
        description:
          - Last address. Needed unless O(firewall_rules[].state=absent).
        type: str
      state:
        description:
          - Whether the rule is to be there.
        type: str
        choices: [present, absent]
        default: present
  configurations:
    description:
      - Parameters of the server and their values, as texts. C(true) and C(false) are C(ON) and C(OFF).
      - Some need a restart of the server, which C(isConfigPendingRestart) of the parameter says.
    type: dict
seealso:
  - module: matcha.mlops.public_ip_address
  - module: matcha.mlops.mysql_flexible_server_info
"""

EXAMPLES = r"""
- name: Make a server with a database that one address can reach
  matcha.mlops.mysql_flexible_server:
    resource_group: matcha-resources
    name: matcha-mysql
    location: westeurope
    sku:
      name: Standard_B1ms
      tier: Burstable
    administrator_login: matcha
    administrator_login_password: "{{ password }}"
    databases:
      - name: zenml
    firewall_rules:
      - name: cluster
        start_ip_address: "{{ address.resource.properties.ipAddress }}"
        end_ip_address: "{{ address.resource.properties.ipAddress }}"
    configurations:
      require_secure_transport: true

- name: Stop it for the night
  matcha.mlops.mysql_flexible_server:
    resource_group: matcha-resources
    name: matcha-mysql
    state: stopped
"""

RETURN = r"""
resource:
  description:
    - The server as Azure answers it, in Azure's spelling. It holds no secret.
    - C(properties.fullyQualifiedDomainName) is its address.
  returned: if it is there
  type: dict
failure:
  description: What Azure refused with - its code, its message, the HTTP status and the correlation id.
  returned: on failure
  type: dict
"""

from ..module_utils.azure.kinds.mysql import MysqlFlexibleServer
from ..module_utils.azure.module import run_kind


def main() -> None:
    run_kind(MysqlFlexibleServer())


if __name__ == "__main__":
    main()
