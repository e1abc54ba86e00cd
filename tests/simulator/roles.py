# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Built-in roles: their well-known ids, and what they allow."""

from __future__ import annotations

from typing import Any

_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers"
_READ_CONTAINER = [f"{_BLOBS}/read"]
_DELEGATION_KEY = "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action"
_AKS = "Microsoft.ContainerService/managedClusters"
_COMMON = [
    "Microsoft.Authorization/*/read",
    "Microsoft.Insights/alertRules/*",
    "Microsoft.Resources/deployments/*",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Support/*",
]
_VAULT_READ = ["Microsoft.KeyVault/checkNameAvailability/read", "Microsoft.KeyVault/deletedVaults/read"]
_VAULT_READ += [
    "Microsoft.KeyVault/locations/*/read",
    "Microsoft.KeyVault/vaults/*/read",
    "Microsoft.KeyVault/operations/read",
]
_IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
_NO_ACCESS_CHANGES = [
    "Microsoft.Authorization/*/Delete",
    "Microsoft.Authorization/*/Write",
    "Microsoft.Authorization/elevateAccess/Action",
    "Microsoft.Blueprint/blueprintAssignments/write",
    "Microsoft.Blueprint/blueprintAssignments/delete",
    "Microsoft.Compute/galleries/share/action",
]

# name: (id, actions, notActions, dataActions, notDataActions)
_BUILTIN: dict[str, tuple[str, list[str], list[str], list[str], list[str]]] = {
    "Owner": ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", ["*"], [], [], []),
    "Contributor": ("b24988ac-6180-42a0-ab88-20f7382dd24c", ["*"], _NO_ACCESS_CHANGES, [], []),
    "Reader": ("acdd72a7-3385-48ef-bd42-f606fba81ae7", ["*/read"], [], [], []),
    "User Access Administrator": (
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        ["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"],
        [],
        [],
        [],
    ),
    "Role Based Access Control Administrator": (
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        [
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
            "Microsoft.Support/*",
        ],
        [],
        [],
        [],
    ),
    "Storage Blob Data Owner": (
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        [f"{_BLOBS}/*", _DELEGATION_KEY],
        [],
        [f"{_BLOBS}/blobs/*"],
        [],
    ),
    "Storage Blob Data Contributor": (
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        [f"{_BLOBS}/delete", *_READ_CONTAINER, f"{_BLOBS}/write", _DELEGATION_KEY],
        [],
        [
            f"{_BLOBS}/blobs/delete",
            f"{_BLOBS}/blobs/read",
            f"{_BLOBS}/blobs/write",
            f"{_BLOBS}/blobs/move/action",
            f"{_BLOBS}/blobs/add/action",
        ],
        [],
    ),
    "Storage Blob Data Reader": (
        "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
        [*_READ_CONTAINER, _DELEGATION_KEY],
        [],
        [f"{_BLOBS}/blobs/read"],
        [],
    ),
    "Storage Account Contributor": (
        "17d1049b-9a84-46fb-8f53-869881c3d3ab",
        [*_COMMON, "Microsoft.Storage/storageAccounts/*"],
        [],
        [],
        [],
    ),
    "AcrPull": (
        "7f951dda-4ed3-4680-a7ca-43fe172d538d",
        ["Microsoft.ContainerRegistry/registries/pull/read"],
        [],
        [],
        [],
    ),
    "AcrPush": (
        "8311e382-0749-4cb8-b61a-304f252e45ec",
        ["Microsoft.ContainerRegistry/registries/pull/read", "Microsoft.ContainerRegistry/registries/push/write"],
        [],
        [],
        [],
    ),
    "Container Registry Repository Reader": (
        "b93aa761-3e63-49ed-ac28-beffa264f7ac",
        [],
        [],
        [
            "Microsoft.ContainerRegistry/registries/repositories/metadata/read",
            "Microsoft.ContainerRegistry/registries/repositories/content/read",
        ],
        [],
    ),
    "Key Vault Administrator": (
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",
        [*_COMMON, *_VAULT_READ],
        [],
        ["Microsoft.KeyVault/vaults/*"],
        [],
    ),
    "Key Vault Contributor": (
        "f25e0fa2-a7c8-4377-a976-54943a77a395",
        [*_COMMON, "Microsoft.KeyVault/*"],
        ["Microsoft.KeyVault/locations/deletedVaults/purge/action", "Microsoft.KeyVault/hsmPools/*"],
        [],
        [],
    ),
    "Key Vault Secrets Officer": (
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        [*_COMMON, *_VAULT_READ],
        [],
        ["Microsoft.KeyVault/vaults/secrets/*"],
        [],
    ),
    "Key Vault Secrets User": (
        "4633458b-17de-408a-b874-0445c86b69e6",
        [],
        [],
        [
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        ],
        [],
    ),
    "Key Vault Crypto User": (
        "12338af0-0e69-4776-bea7-57ae8d297424",
        [],
        [],
        [
            f"Microsoft.KeyVault/vaults/keys/{verb}"
            for verb in ("read", "update/action", "backup/action", "sign/action")
        ],
        [],
    ),
    "Key Vault Reader": (
        "21090545-7ca7-4776-b22c-e363652d74d2",
        [*_COMMON, *_VAULT_READ],
        [],
        ["Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/vaults/secrets/readMetadata/action"],
        [],
    ),
    "Managed Identity Operator": (
        "f1a07417-d97a-45cb-824c-7a7467783830",
        [
            f"{_IDENTITY}/*/read",
            f"{_IDENTITY}/read",
            f"{_IDENTITY}/*/assign/action",
            f"{_IDENTITY}/assign/action",
            *_COMMON,
        ],
        [],
        [],
        [],
    ),
    "Managed Identity Contributor": (
        "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
        [f"{_IDENTITY}/read", f"{_IDENTITY}/write", f"{_IDENTITY}/delete", f"{_IDENTITY}/*", *_COMMON],
        [],
        [],
        [],
    ),
    "Network Contributor": ("4d97b98b-1d4f-4787-a291-c67834d212e7", [*_COMMON, "Microsoft.Network/*"], [], [], []),
    "Disk Pool Operator": (
        "60fc6e62-5479-42d4-8bf4-67625fcc2840",
        ["Microsoft.Compute/disks/write", "Microsoft.Compute/disks/read", *_COMMON],
        [],
        [],
        [],
    ),
    "Virtual Machine Contributor": (
        "9980e02c-c2be-4d73-94e8-173b1dc7cf3c",
        [*_COMMON, "Microsoft.Compute/virtualMachines/*", "Microsoft.Compute/virtualMachineScaleSets/*"],
        [],
        [],
        [],
    ),
    "Monitoring Metrics Publisher": (
        "3913510d-42f4-4e42-8a64-420c390055eb",
        [*_COMMON[1:2], "Microsoft.Insights/Register/Action"],
        [],
        ["Microsoft.Insights/Metrics/Write"],
        [],
    ),
    "Private DNS Zone Contributor": (
        "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
        [*_COMMON, "Microsoft.Network/privateDnsZones/*"],
        [],
        [],
        [],
    ),
    "DNS Zone Contributor": (
        "befefa01-2a29-4197-83a8-272ff33ce314",
        [*_COMMON, "Microsoft.Network/dnsZones/*"],
        [],
        [],
        [],
    ),
    "Azure Kubernetes Service Cluster Admin Role": (
        "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8",
        [f"{_AKS}/listClusterAdminCredential/action", f"{_AKS}/accessProfiles/listCredential/action", f"{_AKS}/read"],
        [],
        [],
        [],
    ),
    "Azure Kubernetes Service Cluster User Role": (
        "4abbcc35-e782-43d8-92c5-2d3f1bd2253f",
        [f"{_AKS}/listClusterUserCredential/action", f"{_AKS}/read"],
        [],
        [],
        [],
    ),
    "Azure Kubernetes Service Contributor Role": (
        "ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8",
        [f"{_AKS}/*", *_COMMON],
        [],
        [],
        [],
    ),
    "Azure Kubernetes Service RBAC Admin": (
        "3498e952-d568-435e-9b2c-8d77e338d7f7",
        [*_COMMON, f"{_AKS}/listClusterUserCredential/action"],
        [],
        [f"{_AKS}/*"],
        [f"{_AKS}/resourcequotas/write", f"{_AKS}/resourcequotas/delete", f"{_AKS}/namespaces/write"],
    ),
    "Azure Kubernetes Service RBAC Cluster Admin": (
        "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b",
        [*_COMMON, f"{_AKS}/listClusterUserCredential/action"],
        [],
        [f"{_AKS}/*"],
        [],
    ),
}


def role_document(
    identifier: str, name: str, permissions: list[dict[str, Any]], kind: str = "BuiltInRole"
) -> dict[str, Any]:
    """Write a role definition as Azure returns it."""
    return {
        "id": f"/providers/Microsoft.Authorization/roleDefinitions/{identifier}",
        "name": identifier,
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": name,
            "type": kind,
            "description": name,
            "assignableScopes": ["/"],
            "permissions": permissions,
            "createdOn": "2015-02-02T21:55:09.8806423Z",
            "updatedOn": "2021-11-11T20:13:10.9013386Z",
            "createdBy": None,
            "updatedBy": None,
        },
    }


def _permission(actions: list[str], refused: list[str], data: list[str], data_refused: list[str]) -> dict[str, Any]:
    return {"actions": actions, "notActions": refused, "dataActions": data, "notDataActions": data_refused}


# By id. Nothing may change these documents.
BUILTIN: dict[str, dict[str, Any]] = {
    identifier: role_document(identifier, name, [_permission(*rights)])
    for name, (identifier, *rights) in _BUILTIN.items()
}
IDS = {name: identifier for name, (identifier, *_rights) in _BUILTIN.items()}
