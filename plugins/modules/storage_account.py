#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: storage_account
short_description: Manage a storage account
description:
  - Creates, changes or deletes a storage account, the settings of its blobs, and the containers that the task lists.
  - A new account takes no keys, lets nobody read without signing in, and speaks TLS 1.2 or newer, unless asked.
  - What the task does not name is left as it is, containers and settings that were made elsewhere among them.
  - An account's keys are never in the result.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.azure
  - matcha.mlops.azure.state
  - matcha.mlops.azure.tags
  - matcha.mlops.fence
requirements:
  - azure-mgmt-storage >= 25.0.0
options:
  resource_group:
    description:
      - Resource group of the account.
    type: str
    required: true
  name:
    description:
      - Name of the account, of 3 to 24 lower-case letters and digits. It is unique in all of Azure.
    type: str
    required: true
  location:
    description:
      - Region. Needed for a new account. Immutable.
    type: str
  kind:
    description:
      - What the account can hold. V(StorageV2) in a new account if left out. V(Storage) and V(BlobStorage) can become
        V(StorageV2); else immutable.
    type: str
    choices: [StorageV2, Storage, BlobStorage, BlockBlobStorage, FileStorage]
  sku:
    description:
      - How often and where data is kept.
    type: dict
    suboptions:
      name:
        description:
          - Such as C(Standard_LRS), which a new account has if left out, or C(Standard_ZRS).
        type: str
        required: true
  identity:
    description:
      - Identity of the resource itself.
    type: dict
    suboptions:
      type:
        description:
          - Who makes and keeps it.
        type: str
        choices: [None, SystemAssigned, UserAssigned, 'SystemAssigned, UserAssigned']
      user_assigned_identities:
        description:
          - Ids of the identities, for a type with V(UserAssigned); all of them.
        type: list
        elements: str
  extended_location:
    description:
      - Edge zone of the account. Immutable.
    type: dict
    suboptions:
      name:
        description:
          - Name of the zone. Immutable.
        type: str
      type:
        description:
          - Type. Immutable.
        type: str
        choices: [EdgeZone]
  access_tier:
    description:
      - How often data is expected to be read.
    type: str
    choices: [Hot, Cool, Cold, Premium, Smart]
  minimum_tls_version:
    description:
      - Oldest version of TLS that is taken. V(TLS1_2) in a new account if left out.
    type: str
    choices: [TLS1_0, TLS1_1, TLS1_2, TLS1_3]
  supports_https_traffic_only:
    description:
      - Whether HTTP is refused. True in a new account if left out.
    type: bool
  allow_shared_key_access:
    description:
      - Whether the account's keys sign anybody in. False in a new account if left out, so that access takes a role.
    type: bool
  allow_blob_public_access:
    description:
      - Whether containers may be readable by everybody, without signing in. False in a new account if left out.
      - That is another thing than O(public_network_access).
    type: bool
  allow_cross_tenant_replication:
    description:
      - Whether blobs may be replicated to another tenant.
    type: bool
  default_to_o_auth_authentication:
    description:
      - Whether the portal signs in with Entra ID by default.
    type: bool
  allowed_copy_scope:
    description:
      - From where blobs may be copied - accounts of the same tenant, or with private links to the same network.
    type: str
    choices: [AAD, PrivateLink, All]
  public_network_access:
    description:
      - Whether the account's public address answers at all, within O(network_acls).
      - V(Disabled) locks out everyone who has no private endpoint.
    type: str
    choices: [Enabled, Disabled, SecuredByPerimeter]
  network_acls:
    description:
      - Who may connect to the public address.
    type: dict
    suboptions:
      default_action:
        description:
          - What happens to everybody else. V(Deny) where there were no rules before, if left out.
        type: str
        choices: [Allow, Deny]
      bypass:
        description:
          - Who is let through anyway; all of them.
        type: list
        elements: str
        choices: [None, AzureServices, Logging, Metrics]
      ipv6_rules:
        description:
          - The same for IPv6.
        type: list
        elements: str
      virtual_network_rules:
        description:
          - Ids of subnets that may connect; all of them.
        type: list
        elements: str
      resource_access_rules:
        description:
          - Resources that may connect; all of them.
        type: list
        elements: dict
        suboptions:
          tenant_id:
            description:
              - Tenant of the resource.
            type: str
            required: true
          resource_id:
            description:
              - Id of the resource.
            type: str
            required: true
      ip_rules:
        description:
          - Addresses and ranges in the internet that may connect; all of them.
        type: list
        elements: str
  encryption:
    description:
      - Encryption of stored data.
    type: dict
    suboptions:
      key_source:
        description:
          - Whose key it is.
        type: str
        choices: [Microsoft.Storage, Microsoft.Keyvault]
      key_vault_properties:
        description:
          - Key of your own.
        type: dict
        suboptions:
          key_name:
            description:
              - Name of the key.
            type: str
          key_version:
            description:
              - Version of the key. The latest if left out.
            type: str
          key_vault_uri:
            description:
              - Address of the vault.
            type: str
      identity:
        description:
          - Who reads the key.
        type: dict
        suboptions:
          user_assigned_identity:
            description:
              - Id of the identity.
            type: str
          federated_identity_client_id:
            description:
              - Client id of an application, for a vault in another tenant.
            type: str
      require_infrastructure_encryption:
        description:
          - Whether data is encrypted twice. Immutable.
        type: bool
      services:
        description:
          - Which key each service uses.
        type: dict
        suboptions:
          blob:
            description:
              - For blobs.
            type: dict
            suboptions:
              key_type:
                description:
                  - V(Account) for the account's key, V(Service) for the service's own. Immutable.
                type: str
                choices: [Account, Service]
          file:
            description:
              - For files.
            type: dict
            suboptions:
              key_type:
                description:
                  - V(Account) for the account's key, V(Service) for the service's own. Immutable.
                type: str
                choices: [Account, Service]
          queue:
            description:
              - For queues.
            type: dict
            suboptions:
              key_type:
                description:
                  - V(Account) for the account's key, V(Service) for the service's own. Immutable.
                type: str
                choices: [Account, Service]
          table:
            description:
              - For tables.
            type: dict
            suboptions:
              key_type:
                description:
                  - V(Account) for the account's key, V(Service) for the service's own. Immutable.
                type: str
                choices: [Account, Service]
  key_policy:
    description:
      - Reminder to renew keys.
    type: dict
    suboptions:
      key_expiration_period_in_days:
        description:
          - Days after which a key should be renewed.
        type: int
        required: true
  sas_policy:
    description:
      - Longest validity of shared access signatures.
    type: dict
    suboptions:
      sas_expiration_period:
        description:
          - As C(days.hours:minutes:seconds), such as C(1.00:00:00).
        type: str
        required: true
      expiration_action:
        description:
          - What happens to those that are valid for longer.
        type: str
        choices: [Log, Block]
        required: true
  is_hns_enabled:
    description:
      - Whether there are real folders (Data Lake Storage). It excludes versions of blobs. Immutable.
    type: bool
  is_sftp_enabled:
    description:
      - Whether SFTP is served. Needs O(is_hns_enabled).
    type: bool
  is_local_user_enabled:
    description:
      - Whether there may be local users.
    type: bool
  enable_extended_groups:
    description:
      - Whether local users can be in extended groups.
    type: bool
  is_nfs_v3_enabled:
    description:
      - Whether NFS 3 is served. Immutable.
    type: bool
  large_file_shares_state:
    description:
      - Whether file shares may be large. It cannot be switched off again.
    type: str
    choices: [Disabled, Enabled]
  azure_files_identity_based_authentication:
    description:
      - Sign-in to file shares with a directory.
    type: dict
    suboptions:
      directory_service_options:
        description:
          - Which directory.
        type: str
        choices: [None, AADDS, AD, AADKERB]
      active_directory_properties:
        description:
          - The directory, for V(ignore:AD) and V(ignore:AADKERB).
        type: dict
        suboptions:
          domain_name:
            description:
              - Its DNS name.
            type: str
          net_bios_domain_name:
            description:
              - Its NetBIOS name.
            type: str
          forest_name:
            description:
              - Its forest.
            type: str
          domain_guid:
            description:
              - Its GUID.
            type: str
          domain_sid:
            description:
              - Its SID.
            type: str
          azure_storage_sid:
            description:
              - SID of the account in it.
            type: str
          sam_account_name:
            description:
              - Name of the account in it.
            type: str
          account_type:
            description:
              - Type of the account in it.
            type: str
            choices: [User, Computer]
      default_share_permission:
        description:
          - Role of those who have none.
        type: str
        choices:
          - None
          - StorageFileDataSmbShareReader
          - StorageFileDataSmbShareContributor
          - StorageFileDataSmbShareElevatedContributor
  immutable_storage_with_versioning:
    description:
      - Protection of versions against change.
    type: dict
    suboptions:
      enabled:
        description:
          - Whether the account has it. Immutable.
        type: bool
      immutability_policy:
        description:
          - What new containers have.
        type: dict
        suboptions:
          immutability_period_since_creation_in_days:
            description:
              - For how many days, from 1 to 146000.
            type: int
          state:
            description:
              - Whether it can be shortened or removed. V(Locked) is for good.
            type: str
            choices: [Disabled, Unlocked, Locked]
          allow_protected_append_writes:
            description:
              - Whether append blobs can grow.
            type: bool
  routing_preference:
    description:
      - How traffic reaches the account.
    type: dict
    suboptions:
      routing_choice:
        description:
          - Through Microsoft's network, or the internet.
        type: str
        choices: [MicrosoftRouting, InternetRouting]
      publish_microsoft_endpoints:
        description:
          - Whether there is an address for the one.
        type: bool
      publish_internet_endpoints:
        description:
          - Whether there is an address for the other.
        type: bool
  dns_endpoint_type:
    description:
      - Form of the account's addresses. Immutable.
    type: str
    choices: [Standard, AzureDnsZone]
  blob_service_properties:
    description:
      - Settings of the account's blobs.
    type: dict
    suboptions:
      is_versioning_enabled:
        description:
          - Whether a blob's earlier versions are kept.
        type: bool
      delete_retention_policy:
        description:
          - Whether deleted blobs can be recovered.
        type: dict
        suboptions:
          enabled:
            description:
              - Whether they can.
            type: bool
          days:
            description:
              - For how many days, from 1 to 365. 7 if it is switched on and this is left out.
            type: int
          allow_permanent_delete:
            description:
              - Whether they can be deleted for good before that.
            type: bool
      container_delete_retention_policy:
        description:
          - Whether deleted containers can be recovered.
        type: dict
        suboptions:
          enabled:
            description:
              - Whether they can.
            type: bool
          days:
            description:
              - For how many days, from 1 to 365. 7 if it is switched on and this is left out.
            type: int
      change_feed:
        description:
          - Log of all changes.
        type: dict
        suboptions:
          enabled:
            description:
              - Whether there is one.
            type: bool
          retention_in_days:
            description:
              - For how many days it is kept, from 1 to 146000. For ever if left out.
            type: int
      restore_policy:
        description:
          - Whether blobs can be restored as they were at a time. Needs versions, the change feed and recoverable
            blobs.
        type: dict
        suboptions:
          enabled:
            description:
              - Whether they can.
            type: bool
          days:
            description:
              - For how many days; fewer than deleted blobs are kept.
            type: int
      last_access_time_tracking_policy:
        description:
          - Record of when a blob was last read.
        type: dict
        suboptions:
          enable:
            description:
              - Whether there is one.
            type: bool
      default_service_version:
        description:
          - Version of the API for requests that name none.
        type: str
      cors_rules:
        description:
          - Rules for scripts in browsers, at most five; all of them.
        type: list
        elements: dict
        suboptions:
          allowed_origins:
            description:
              - Origins that may ask.
            type: list
            elements: str
            required: true
          allowed_methods:
            description:
              - Methods that they may use.
            type: list
            elements: str
            required: true
          allowed_headers:
            description:
              - Headers that they may send.
            type: list
            elements: str
            required: true
          exposed_headers:
            description:
              - Headers that they may see.
            type: list
            elements: str
            required: true
          max_age_in_seconds:
            description:
              - How long a browser may remember that.
            type: int
            required: true
  containers:
    description:
      - Containers of blobs. One that is not listed stays.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the container.
        type: str
        required: true
      state:
        description:
          - Whether it is to be there. A deleted container is gone with its blobs, unless deleted ones can be
            recovered.
        type: str
        choices: [present, absent]
        default: present
      public_access:
        description:
          - Who may read without signing in. V(None) in a new container if left out. Else O(allow_blob_public_access)
            must be true.
        type: str
        choices: [None, Blob, Container]
      metadata:
        description:
          - Metadata; all of it.
        type: dict
      default_encryption_scope:
        description:
          - Encryption scope of new blobs. Immutable.
        type: str
      deny_encryption_scope_override:
        description:
          - Whether they can't have another. Immutable.
        type: bool
      enable_nfs_v3_root_squash:
        description:
          - Whether root of an NFS client is nobody.
        type: bool
      enable_nfs_v3_all_squash:
        description:
          - Whether everybody of an NFS client is nobody.
        type: bool
      immutable_storage_with_versioning:
        description:
          - Protection of versions against change.
        type: dict
        suboptions:
          enabled:
            description:
              - Whether the container has it. Immutable.
            type: bool
seealso:
  - module: matcha.mlops.storage_account_info
  - module: matcha.mlops.role_assignment
"""

EXAMPLES = r"""
- name: Make an account for artifacts, whose blobs have versions
  matcha.mlops.storage_account:
    resource_group: matcha-resources
    name: matchastorage
    location: westeurope
    sku:
      name: Standard_ZRS
    blob_service_properties:
      is_versioning_enabled: true
      delete_retention_policy:
        enabled: true
        days: 14
    containers:
      - name: artifacts

- name: Let only one network reach it
  matcha.mlops.storage_account:
    resource_group: matcha-resources
    name: matchastorage
    network_acls:
      default_action: Deny
      ip_rules:
        - 192.0.2.0/24
"""

RETURN = r"""
resource:
  description:
    - The account as Azure answers it, in Azure's spelling. It holds no key.
    - C(properties.primaryEndpoints.blob) is the address of its blobs.
  returned: if the resource is there
  type: dict
failure:
  description: What Azure refused with - its code, its message, the HTTP status and the correlation id.
  returned: on failure
  type: dict
"""

from ..module_utils.azure.kinds.storage import StorageAccount
from ..module_utils.azure.module import run_kind


def main() -> None:
    run_kind(StorageAccount())


if __name__ == "__main__":
    main()
