// Sluice in one region: Front Door, Container Apps, Managed Redis, Key Vault, Log Analytics. README.md, one folder up, walks
// through it. Deploy `deployApp=false` first: it makes the vault, which the app needs with its secrets in it.
targetScope = 'resourceGroup'

@description('Prefix of all names: lower-case letters, digits and dashes.')
@minLength(3)
@maxLength(16)
param name string
param location string = resourceGroup().location
@description('Whether to make the app and Front Door. False for the first run, until the vault has its secrets.')
param deployApp bool = true
@description('Premium reaches the gateway over Private Link and has managed firewall rules.')
@allowed(['Standard', 'Premium'])
param frontDoorTier string = 'Premium'
@description('Azure OpenAI resources that the gateway calls as its identity.')
param accounts { name: string, resourceGroup: string }[]
@description('The registry of the image.')
param registry { name: string, resourceGroup: string }
@description('Name and digest of the image in the registry, as in sluice@sha256:...')
param image string
@description('Secrets in the vault, each by the environment variable that gets it.')
param secrets { *: string } = {}
param configurationSecret string = 'sluice-configuration'
param redisSku string = 'Balanced_B5'
param addressPrefix string = '10.40.0.0/22'
@minValue(2)
param minReplicas int = 3
param maxReplicas int = 30
param concurrentRequests int = 200
param terminationGraceSeconds int = 60
param zoneRedundant bool = true
param retentionDays int = 90
param requestsPerMinutePerAddress int = 6000
@allowed(['Enabled', 'Disabled'])
param vaultPublicNetworkAccess string = 'Enabled'

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: { name: name, location: location }
}

module access 'modules/access.bicep' = [
  for account in accounts: {
    name: 'access-${account.name}'
    scope: resourceGroup(account.resourceGroup)
    params: { accountName: account.name, principalId: identity.outputs.principalId }
  }
]

module pull 'modules/pull.bicep' = {
  name: 'pull'
  scope: resourceGroup(registry.resourceGroup)
  params: { registryName: registry.name, principalId: identity.outputs.principalId }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: { name: name, location: location, principalId: identity.outputs.principalId, retentionDays: retentionDays }
}

module vault 'modules/keyvault.bicep' = {
  name: 'vault'
  params: {
    name: name
    location: location
    principalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
    publicNetworkAccess: vaultPublicNetworkAccess
  }
}

module network 'modules/network.bicep' = {
  name: 'network'
  params: { name: name, location: location, addressPrefix: addressPrefix }
}

module redis 'modules/redis.bicep' = {
  name: 'redis'
  params: {
    name: name
    location: location
    sku: redisSku
    principalId: identity.outputs.principalId
    subnetId: network.outputs.endpointsSubnetId
    networkId: network.outputs.id
    workspaceId: monitoring.outputs.workspaceId
  }
}

module app 'modules/app.bicep' = if (deployApp) {
  name: 'app'
  params: {
    name: name
    location: location
    workspaceName: monitoring.outputs.workspaceName
    workspaceId: monitoring.outputs.workspaceId
    subnetId: network.outputs.appsSubnetId
    internal: frontDoorTier == 'Premium'
    zoneRedundant: zoneRedundant
    image: '${registry.name}${environment().suffixes.acrLoginServer}/${image}'
    registry: '${registry.name}${environment().suffixes.acrLoginServer}'
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    vaultUri: vault.outputs.uri
    secrets: secrets
    configurationSecret: configurationSecret
    // What the configuration takes with ${NAME}, so that the same file serves every region.
    settings: {
      IDENTITY_CLIENT_ID: identity.outputs.clientId
      REDIS_URL: redis.outputs.url
      USAGE_URL: monitoring.outputs.ingestionUrl
      USAGE_RULE: monitoring.outputs.ruleImmutableId
      USAGE_STREAM: monitoring.outputs.stream
    }
    minReplicas: minReplicas
    maxReplicas: maxReplicas
    concurrentRequests: concurrentRequests
    terminationGraceSeconds: terminationGraceSeconds
  }
  dependsOn: [pull, access]
}

module frontDoor 'modules/frontdoor.bicep' = if (deployApp) {
  name: 'frontdoor'
  params: {
    name: name
    tier: frontDoorTier
    originHostName: app!.outputs.hostName
    environmentId: app!.outputs.environmentId
    location: location
    workspaceId: monitoring.outputs.workspaceId
    requestsPerMinutePerAddress: requestsPerMinutePerAddress
  }
}

output vaultName string = vault.outputs.name
output url string = deployApp ? 'https://${frontDoor!.outputs.hostName}' : ''
@description('For `front_door.ids` of the configuration.')
output frontDoorId string = deployApp ? frontDoor!.outputs.frontDoorId : ''
