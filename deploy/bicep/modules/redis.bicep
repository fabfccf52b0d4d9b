// Azure Managed Redis: what the replicas share. Reached over a private endpoint, as the identity; access keys are off.
param location string
param name string
@description('Size and tier, for example Balanced_B5; docs/operations.md says how many requests one carries.')
param sku string
@description('The principal of the gateway.')
param principalId string
param subnetId string
param networkId string
param workspaceId string

resource redis 'Microsoft.Cache/redisEnterprise@2025-04-01' = {
  name: '${name}-redis'
  location: location
  sku: { name: sku }
  properties: { minimumTlsVersion: '1.2', highAvailability: 'Enabled' }
}

resource database 'Microsoft.Cache/redisEnterprise/databases@2025-04-01' = {
  parent: redis
  name: 'default'
  properties: {
    port: 10000
    clientProtocol: 'Encrypted'
    // One address for all shards. The keys of a fleet have one hash tag, so they are on one shard either way.
    clusteringPolicy: 'EnterpriseCluster'
    // A limit that was evicted would be a limit that is forgotten.
    evictionPolicy: 'NoEviction'
    accessKeysAuthentication: 'Disabled'
    // Counters of days and months survive a restart of the cluster, up to a second of them.
    persistence: { aofEnabled: true, aofFrequency: '1s' }
  }
}

resource access 'Microsoft.Cache/redisEnterprise/databases/accessPolicyAssignments@2025-04-01' = {
  parent: database
  name: 'gateway'
  properties: { accessPolicyName: 'default', user: { objectId: principalId } }
}

resource zone 'Microsoft.Network/privateDnsZones@2020-06-01' = {
  name: 'privatelink.redis.azure.net'
  location: 'global'
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = {
  parent: zone
  name: name
  location: 'global'
  properties: { registrationEnabled: false, virtualNetwork: { id: networkId } }
}

resource endpoint 'Microsoft.Network/privateEndpoints@2024-01-01' = {
  name: '${name}-redis'
  location: location
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      { name: 'redis', properties: { privateLinkServiceId: redis.id, groupIds: ['redisEnterprise'] } }
    ]
  }
}

resource record 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-01-01' = {
  parent: endpoint
  name: 'default'
  properties: { privateDnsZoneConfigs: [{ name: 'redis', properties: { privateDnsZoneId: zone.id } }] }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'workspace'
  scope: redis
  properties: { workspaceId: workspaceId, metrics: [{ category: 'AllMetrics', enabled: true }] }
}

output url string = 'rediss://${redis.properties.hostName}:${database.properties.port}'
