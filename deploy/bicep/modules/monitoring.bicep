// The workspace, the table that usage goes to, and the way in: endpoint and rule of the Logs Ingestion API. All three have to
// be in the same region.
param location string
param name string
@description('Who may send usage: the principal of the gateway.')
param principalId string
@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param retentionDays int

// Monitoring Metrics Publisher: send data to this rule, and nothing else. It may take half an hour to have its effect.
var publisher = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '3913510d-42f4-4e42-8a64-420c390055eb')
var table = 'AzureOpenAIUsage_PP_CL'
var columns = [
  { name: 'TimeGenerated', type: 'datetime' }
  { name: 'RequestReceivedUtc', type: 'datetime' }
  { name: 'Client', type: 'string' }
  { name: 'IsStreaming', type: 'boolean' }
  { name: 'PromptTokens', type: 'int' }
  { name: 'CompletionTokens', type: 'int' }
  { name: 'TotalTokens', type: 'int' }
  { name: 'AoaiRoundtripTimeMS', type: 'real' }
  { name: 'AoaiRegion', type: 'string' }
  { name: 'AoaiEndpoint', type: 'string' }
  { name: 'AoaiVirtualDeployment', type: 'string' }
  { name: 'AoaiStandinDeployment', type: 'string' }
  { name: 'AoaiApiVersion', type: 'string' }
  { name: 'EventId', type: 'string' }
  { name: 'Status', type: 'int' }
  { name: 'CachedTokens', type: 'int' }
  { name: 'ReasoningTokens', type: 'int' }
  { name: 'IsEstimated', type: 'boolean' }
  { name: 'Identity', type: 'string' }
]

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: '${name}-logs'
  location: location
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    features: { disableLocalAuth: false } // Container Apps sends its logs with the workspace's key
  }
}

resource usage 'Microsoft.OperationalInsights/workspaces/tables@2023-09-01' = {
  parent: workspace
  name: table
  properties: {
    plan: 'Analytics'
    retentionInDays: retentionDays
    schema: { name: table, columns: columns }
  }
}

resource endpoint 'Microsoft.Insights/dataCollectionEndpoints@2023-03-11' = {
  name: '${name}-ingest'
  location: location
  properties: { networkAcls: { publicNetworkAccess: 'Enabled' } }
}

resource rule 'Microsoft.Insights/dataCollectionRules@2023-03-11' = {
  name: '${name}-usage'
  location: location
  properties: {
    dataCollectionEndpointId: endpoint.id
    streamDeclarations: { 'Custom-${table}': { columns: columns } }
    destinations: {
      logAnalytics: [{ name: 'workspace', workspaceResourceId: workspace.id }]
    }
    dataFlows: [
      {
        streams: ['Custom-${table}']
        destinations: ['workspace']
        transformKql: 'source'
        outputStream: 'Custom-${table}'
      }
    ]
  }
  dependsOn: [usage]
}

resource mayPublish 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(rule.id, principalId, publisher)
  scope: rule
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: publisher }
}

output workspaceId string = workspace.id
output workspaceName string = workspace.name
output ingestionUrl string = endpoint.properties.logsIngestion.endpoint
output ruleImmutableId string = rule.properties.immutableId
output stream string = 'Custom-${table}'
