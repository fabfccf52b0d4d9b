// Container Apps: the environment, and the gateway in it.
param location string
param name string
param workspaceName string
param workspaceId string
param subnetId string
@description('Whether the environment has no public address: for Front Door Premium with Private Link.')
param internal bool
param zoneRedundant bool
@description('registry/name@sha256:...')
param image string
param registry string
param identityId string
param identityClientId string
param vaultUri string
@description('Names of secrets in the vault, each by the environment variable that gets it.')
param secrets { *: string }
@description('Name of the secret in the vault that is the configuration file.')
param configurationSecret string
@description('Values for ${NAME} in the configuration that are no secrets.')
param settings { *: string }
@minValue(2)
param minReplicas int
@maxValue(1000)
param maxReplicas int
@description('Requests in flight per replica that the fleet is sized for.')
@minValue(1)
param concurrentRequests int
@description('Above lame_duck + grace + 3 s of the configuration.')
@minValue(30)
@maxValue(600)
param terminationGraceSeconds int

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: workspaceName
}

resource environment 'Microsoft.App/managedEnvironments@2024-03-01' = {
  name: '${name}-environment'
  location: location
  properties: {
    vnetConfiguration: { infrastructureSubnetId: subnetId, internal: internal }
    zoneRedundant: zoneRedundant
    workloadProfiles: [{ name: 'gateway', workloadProfileType: 'D4', minimumCount: 2, maximumCount: 10 }]
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: {
        customerId: workspace.properties.customerId
        sharedKey: workspace.listKeys().primarySharedKey
      }
    }
  }
}

resource app 'Microsoft.App/containerApps@2024-03-01' = {
  name: name
  location: location
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    environmentId: environment.id
    workloadProfileName: 'gateway'
    configuration: {
      // The old revision serves until the new one is ready.
      activeRevisionsMode: 'Single'
      maxInactiveRevisions: 5
      // In an internal environment `external` means the network, not the internet.
      ingress: { external: true, targetPort: 8080, transport: 'http', allowInsecure: false }
      registries: [{ server: registry, identity: identityId }]
      secrets: concat(
        [{ name: 'configuration', keyVaultUrl: '${vaultUri}secrets/${configurationSecret}', identity: identityId }],
        map(items(secrets), secret => {
          name: toLower(replace(secret.key, '_', '-'))
          keyVaultUrl: '${vaultUri}secrets/${secret.value}'
          identity: identityId
        })
      )
    }
    template: {
      terminationGracePeriodSeconds: terminationGraceSeconds
      scale: {
        minReplicas: minReplicas
        maxReplicas: maxReplicas
        // Long streams hold a place, not a CPU.
        rules: [{ name: 'in-flight', http: { metadata: { concurrentRequests: string(concurrentRequests) } } }]
      }
      volumes: [
        { name: 'configuration', storageType: 'Secret', secrets: [{ secretRef: 'configuration', path: 'sluice.yaml' }] }
        // Usage events that no sink has taken yet. They outlive a crash of the container, not the replica.
        { name: 'spool', storageType: 'EmptyDir' }
      ]
      containers: [
        {
          name: 'sluice'
          image: image
          // The admin listener is on all addresses for the platform's probes; the ingress carries port 8080 only.
          args: ['serve', '--config', '/etc/sluice/sluice.yaml', '--admin', '0.0.0.0:9090']
          resources: { cpu: json('1.0'), memory: '2Gi' }
          volumeMounts: [
            { volumeName: 'configuration', mountPath: '/etc/sluice' }
            { volumeName: 'spool', mountPath: '/var/lib/sluice' }
          ]
          env: concat(
            [{ name: 'AZURE_CLIENT_ID', value: identityClientId }],
            map(items(settings), setting => { name: setting.key, value: setting.value }),
            map(items(secrets), secret => { name: secret.key, secretRef: toLower(replace(secret.key, '_', '-')) })
          )
          probes: [
            { type: 'Startup', httpGet: { path: '/health/live', port: 9090 }, periodSeconds: 1, failureThreshold: 30 }
            {
              type: 'Liveness'
              httpGet: { path: '/health/live', port: 9090 }
              periodSeconds: 10
              timeoutSeconds: 3
              failureThreshold: 3
            }
            {
              type: 'Readiness'
              httpGet: { path: '/health/ready', port: 9090 }
              periodSeconds: 2
              timeoutSeconds: 2
              failureThreshold: 1
            }
          ]
        }
      ]
    }
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'workspace'
  scope: app
  properties: { workspaceId: workspaceId, metrics: [{ category: 'AllMetrics', enabled: true }] }
}

output hostName string = app.properties.configuration.ingress.fqdn
output environmentId string = environment.id
