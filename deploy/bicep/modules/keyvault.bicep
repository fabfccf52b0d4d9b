// The vault that client keys and the configuration are referenced from. It holds no key of Azure OpenAI and none of Redis:
// those are reached as the identity.
param location string
param name string
@description('Who may read secrets: the principal of the gateway.')
param principalId string
param workspaceId string
@description('Whether the vault is reached over the internet, behind its own authorisation. With `Disabled`, Container Apps needs a private endpoint for it.')
@allowed(['Enabled', 'Disabled'])
param publicNetworkAccess string

// Key Vault Secrets User: read the values of secrets; no listing of keys, no writing.
var secretsUser = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-17de-408a-b874-0445c86b69e6')

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  // checkov:skip=CKV_AZURE_189: Container Apps takes references over the public endpoint unless the network has a private one
  // checkov:skip=CKV_AZURE_109: the same; set publicNetworkAccess to Disabled where there is one
  name: take('${name}-${uniqueString(resourceGroup().id)}', 24)
  location: location
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: publicNetworkAccess
    networkAcls: { bypass: 'AzureServices', defaultAction: publicNetworkAccess == 'Enabled' ? 'Allow' : 'Deny' }
  }
}

resource mayRead 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, secretsUser)
  scope: vault
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: secretsUser }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'AuditEvent', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output name string = vault.name
output uri string = vault.properties.vaultUri
