using 'main.bicep'

param name = 'contoso-sluice'
param frontDoorTier = 'Premium'
param accounts = [
  { name: 'contoso-openai-sweden', resourceGroup: 'openai' }
  { name: 'contoso-openai-france', resourceGroup: 'openai' }
]
param registry = { name: 'contoso', resourceGroup: 'shared' }
param image = 'sluice@sha256:0000000000000000000000000000000000000000000000000000000000000000'
param secrets = { TEAM_A_KEY: 'team-a-key' }
param minReplicas = 3
param maxReplicas = 30
